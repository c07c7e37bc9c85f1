import CommandSupport

@main
struct Main {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let command = ResolveCommand(plain: arguments) {
            CommandLineTool.run(command, Ftictl.self, arguments)
        }
        if let command = LogCommand(plain: arguments) {
            CommandLineTool.run(command, Ftictl.self, arguments)
        }
        do {
            try ExternalCommand.runIfNamed(arguments, environment: .process)
            CommandLineTool.main(Ftictl.self, arguments)
        } catch {
            CommandLineTool.fail(error, arguments: arguments)
        }
    }
}
