internal import Glibc
internal import NIOCore
public import Storage

/// Why a server cannot start as it is configured, or cannot read one of its files.
public enum ServingError: Diagnosable, Hashable {
    /// A setting has a value that cannot be used; `key` is its name in configurations.
    case setting(key: String, reason: String)
    /// A server for other machines must ask for tokens.
    case needsTokens(address: String)
    /// A line of the file of tokens is wrong.
    case tokens(path: String, line: Int, reason: String)
    /// The certificate or the key cannot be used.
    case certificate(path: String, reason: String)
    /// The address cannot be listened on.
    case listen(address: String, port: Int, reason: String)
    /// A file cannot be read.
    case file(StorageError)

    /// See `Diagnosable`.
    public var fault: Fault {
        switch self {
        case .setting, .needsTokens, .tokens, .certificate: .usage
        case .listen: .io
        case .file(let error): error.fault
        }
    }

    /// See `Diagnosable`.
    public var message: String {
        switch self {
        case .setting(let key, let reason): "the setting \(key) cannot be used: \(reason)"
        case .needsTokens(let address):
            "the server would listen on \(address), where other machines reach it, without tokens"
        case .tokens(let path, let line, let reason): "\(path), line \(line): \(reason)"
        case .certificate(let path, let reason): "\(path) cannot be used for TLS: \(reason)"
        case .listen(let address, let port, let reason):
            "cannot listen on \(address) port \(port): \(reason)"
        case .file(let error): error.message
        }
    }

    /// See `Diagnosable`.
    public var remedy: String? {
        switch self {
        case .needsTokens:
            "name a file of tokens (tokens: FILE), or listen on a loopback address such as 127.0.0.1"
        case .tokens:
            "write NAME SHA256-OF-TOKEN; printf %s TOKEN | sha256sum prints the digest"
        case .file(let error): error.remedy
        case .listen:
            "set listen.address and listen.port to what is free; ss -ltnp lists what is in use"
        case .setting, .certificate: nil
        }
    }
}

extension ServingError {
    /// The error of an address that the system does not let the server listen on.
    init(_ error: IOError, at listen: ListenConfiguration) {
        let reason =
            switch error.errnoCode {
            case EADDRINUSE: "the port is in use"
            case EADDRNOTAVAIL: "the machine does not have this address"
            case EACCES: "the user may not listen on this port"
            default: "\(error)"
            }
        self = .listen(address: listen.address, port: listen.port, reason: reason)
    }
}
