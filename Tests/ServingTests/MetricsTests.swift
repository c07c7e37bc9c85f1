import Objects
import Serving
import Testing

@Suite("Metrics")
struct MetricsTests {
    @Test("two pools share their metrics, and are kept apart by their names")
    func shared() async {
        let metrics = Metrics()
        let pools = ["a", "b"].map { WorkPool($0, width: 1, queue: 1, metrics: metrics) }
        #expect(
            metrics.text.contains("work_waiting{pool=\"a\"} 0\nwork_waiting{pool=\"b\"} 0\n"))
        #expect(metrics.text.ranges(of: "# TYPE work_waiting").count == 1)
        for pool in pools { await pool.stop() }
    }

    @Test("the text is Prometheus's")
    func text() {
        let metrics = Metrics()
        let counter = metrics.counter("a_total", "Lines\nand \\.", labels: ["kind"])
        counter.add(2, "x\"y\\z\nw")
        counter.add(0.5, "b")
        let gauge = metrics.gauge("b", "A gauge.")
        gauge.set(-1.25)
        metrics.gauge("c", "Computed.", labels: ["k"]) { [(["v"], .infinity), (["w"], .nan)] }
        let histogram = metrics.histogram("d_seconds", "Times.", buckets: [0.1, 1])
        histogram.observe(0.1)
        histogram.observe(Duration.milliseconds(500))
        histogram.observe(7)
        #expect(
            metrics.text == """
                # HELP a_total Lines\\nand \\\\.
                # TYPE a_total counter
                a_total{kind="b"} 0.5
                a_total{kind="x\\"y\\\\z\\nw"} 2
                # HELP b A gauge.
                # TYPE b gauge
                b -1.25
                # HELP c Computed.
                # TYPE c gauge
                c{k="v"} +Inf
                c{k="w"} NaN
                # HELP d_seconds Times.
                # TYPE d_seconds histogram
                d_seconds_bucket{le="0.1"} 1
                d_seconds_bucket{le="1"} 2
                d_seconds_bucket{le="+Inf"} 3
                d_seconds_sum 7.6
                d_seconds_count 3

                """)
    }

    @Test("a metric keeps a bounded number of label values apart")
    func bounded() {
        let metrics = Metrics()
        let counter = metrics.counter("a_total", "A.", labels: ["v"])
        for value in 0..<5000 { counter.add(1, String(value)) }
        let lines = metrics.text.split(separator: "\n")
        #expect(lines.count <= 1003)
        #expect(lines.contains("a_total{v=\"other\"} 4000"))
    }

    @Test("requests are counted by route, and unknown paths under one name")
    func requests() async throws {
        try await TestServer.run { server in
            for path in ["/hello/a", "/hello/b", "/x1", "/x2", "/json"] {
                _ = try await server.get(path)
            }
            _ = try await server.exchange("nonsense\r\n\r\n")
            let text = try await server.get("/metrics")
            #expect(text.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
            for line in [
                "http_requests_total{route=\"/hello/{name}\",method=\"GET\",status=\"200\"} 2",
                "http_requests_total{route=\"none\",method=\"GET\",status=\"404\"} 2",
                "http_requests_total{route=\"none\",method=\"GET\",status=\"405\"} 1",
                "http_requests_total{route=\"none\",method=\"none\",status=\"400\"} 1",
                "http_refused_total{reason=\"malformed_request\"} 1",
                "http_requests_in_flight 0",
            ] {
                #expect(text.body.contains(line + "\n"), "\(line)")
            }
            #expect(!text.body.contains("x1"))
        }
    }

    @Test("health says which condition is not met")
    func health() async throws {
        let health = Health {
            [
                HealthCheck("repository", isReady: true),
                HealthCheck("engine", isReady: false, reason: "it does not answer"),
            ]
        }
        try await TestServer.run(health: health) { server in
            let ready = try await server.get("/readyz")
            #expect(ready.status == 503)
            #expect(ready.json?["ready"] == false)
            #expect(ready.json?["checks"]?.array?[1]["reason"] == "it does not answer")
            let alive = try await server.get("/healthz")
            #expect(alive.status == 200)
        }
    }

    @Test("the access log has no query, and identities that are well-formed are kept")
    func log() async throws {
        try await TestServer.run({
            $0.listen.proxies = [AddressRange("127.0.0.0/8")].compactMap { $0 }
        }) { server in
            let good = try await server.get(
                "/hello/a?key=hidden",
                ["X-Request-Id: my-1.2_3", "X-Forwarded-For: 8.8.8.8, 198.51.100.7, 127.0.0.9"])
            #expect(good.header("x-request-id") == "my-1.2_3")
            let made = try await server.get("/hello/a", ["X-Request-Id: a\"b"])
            #expect(made.header("x-request-id")?.hasPrefix("req-") == true)
            _ = try await server.get("/hello/a", ["Forwarded: for=\"[2001:db8::7]:80\";proto=http"])
            #expect(
                try await eventually {
                    server.log.count { $0.contains("\"message\":\"request\"") } >= 3
                })
            let log = server.log.joined()
            #expect(log.contains("\"id\":\"my-1.2_3\""))
            #expect(log.contains("\"address\":\"198.51.100.7\""))
            #expect(log.contains("\"address\":\"2001:db8::7\""))
            #expect(log.contains("\"route\":\"/hello/{name}\""))
            #expect(!log.contains("hidden"))
            for line in server.log {
                #expect(throws: Never.self) { try JSON(parsing: Array(line.utf8).span) }
            }
        }
    }
}
