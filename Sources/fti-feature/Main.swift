import CommandSupport

@main
struct Main {
    static func main() {
        CommandLineTool.main(Feature.self, Array(CommandLine.arguments.dropFirst()))
    }
}
