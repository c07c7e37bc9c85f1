import CommandSupport

@main
struct Main {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            try ExternalCommand.runIfNamed(arguments, environment: .process)
            CommandLineTool.main(Ftictl.self, arguments)
        } catch {
            CommandLineTool.fail(error, arguments: arguments)
        }
    }
}
