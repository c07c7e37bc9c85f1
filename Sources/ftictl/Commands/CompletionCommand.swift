import ArgumentParser
import CommandSupport
import Objects

struct CompletionCommand: Command {
    static let configuration = CommandConfiguration(
        "completion", abstract: "Print a completion script for a shell.",
        examples: [
            "ftictl completion bash > ~/.local/share/bash-completion/completions/ftictl",
            "ftictl completion zsh > ~/.zsh/completions/_ftictl",
        ])

    enum Shell: String, ExpressibleByArgument, CaseIterable {
        case bash
        case zsh
        case fish
    }

    @Argument(help: "The shell.")
    var shell: Shell

    @OptionGroup var options: GlobalOptions

    func run(_ context: CommandContext) throws {
        let script =
            switch shell {
            case .bash: Ftictl.completionScript(for: .bash)
            case .zsh: Ftictl.completionScript(for: .zsh)
            case .fish: Ftictl.completionScript(for: .fish)
            }
        if context.output.isJSON {
            return try context.output.emit([
                "shell": .string(shell.rawValue), "script": .string(script),
            ])
        }
        // A script must not be wrapped to the terminal.
        try context.output.raw("\(script)\n".utf8)
    }
}
