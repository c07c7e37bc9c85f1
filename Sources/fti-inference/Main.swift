import CommandSupport

@main
struct Main {
    static func main() {
        CommandLineTool.main(Inference.self, Array(CommandLine.arguments.dropFirst()))
    }
}
