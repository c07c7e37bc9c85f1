import Conditions
import Serving

extension ServeConfiguration {
    /// The page at `/`; nil where the configuration wants none.
    func page(of api: InferenceAPI, tokens: TokenFile?) throws -> Page? {
        guard hasPage else { return nil }
        var settings = Page.Settings()
        if case .service(let endpoint) = generator { settings.writer = endpoint.model }
        settings.condition = condition?.description
        if case .keep(0) = answers { settings.keepsAnswers = false }
        settings.metricsAreOpen = tokens == nil || !metricsNeedToken
        return try Page(api, tokens: tokens, settings)
    }
}
