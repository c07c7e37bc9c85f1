import CommandSupport

@main
struct Main {
    static func main() {
        CommandLineTool.main(Training.self, Array(CommandLine.arguments.dropFirst()))
    }
}
