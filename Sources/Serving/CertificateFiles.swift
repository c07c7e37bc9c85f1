internal import HummingbirdCore
internal import HummingbirdTLS
internal import Storage
internal import Synchronization

/// The certificate and the key of a server, read again when their files change.
final class CertificateFiles: Sendable {
    private struct State {
        var configuration: TLSConfiguration
        var versions: [FileVersion?]
        /// What sets up connections with this certificate, made for the first of them.
        var channel: TLSChannel<HTTP1Channel>?
    }

    private let files: ListenConfiguration.TLS
    private let state: Mutex<State>

    /// Reads the files.
    init(_ files: ListenConfiguration.TLS) throws(ServingError) {
        self.files = files
        let versions = Self.versions(files)
        state = Mutex(State(configuration: try Self.read(files), versions: versions))
    }

    /// What sets up connections that speak HTTP inside TLS, with the newest certificate.
    func channel(_ base: HTTP1Channel) throws -> TLSChannel<HTTP1Channel> {
        try state.withLock { state in
            if let channel = state.channel { return channel }
            let channel = try TLSChannel(base, tlsConfiguration: state.configuration)
            state.channel = channel
            return channel
        }
    }

    /// Reads the files again if one changed.
    ///
    /// - Returns: Whether there is a new certificate.
    /// - Throws: What is wrong with the new files, once; the certificate stays as it was.
    func refresh() throws(ServingError) -> Bool {
        let versions = Self.versions(files)
        let hasChanged = state.withLock { state in
            defer { state.versions = versions }
            return state.versions != versions
        }
        guard hasChanged else { return false }
        let configuration = try Self.read(files)
        state.withLock { ($0.configuration, $0.channel) = (configuration, nil) }
        return true
    }

    private static func versions(_ files: ListenConfiguration.TLS) -> [FileVersion?] {
        [files.certificate, files.key].map { path in
            try? InputFile(opening: path, followLink: true).version
        }
    }

    private static func read(
        _ files: ListenConfiguration.TLS
    ) throws(ServingError) -> TLSConfiguration {
        let certificate = try bytes(files.certificate)
        let secret = try bytes(files.key)
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMBytes(certificate) } catch {
            throw .certificate(path: files.certificate, reason: "it is no PEM certificate")
        }
        guard !chain.isEmpty else {
            throw .certificate(path: files.certificate, reason: "it has no certificate")
        }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(bytes: secret, format: .pem) } catch {
            throw .certificate(path: files.key, reason: "it is no PEM private key")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.applicationProtocols = ["http/1.1"]
        configuration.minimumTLSVersion = .tlsv12
        // Only a channel checks that the two belong together.
        do {
            _ = try TLSChannel(
                HTTP1Channel(responder: { _, _, _ in }), tlsConfiguration: configuration)
        } catch {
            throw .certificate(
                path: files.certificate, reason: "it does not belong to the key in \(files.key)")
        }
        return configuration
    }

    private static func bytes(_ path: String) throws(ServingError) -> [UInt8] {
        do throws(StorageError) { return try LocalFile.read(path, limit: 1 << 20) } catch {
            throw .file(error)
        }
    }
}
