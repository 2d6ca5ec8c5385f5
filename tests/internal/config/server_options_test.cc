#include "internal/config/server_options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/internal/config/scratch_folder.h"

namespace gpumon::config {
namespace {

Result<ServerConfig> Make(const std::vector<std::string>& arguments, const Environment& env = {}) {
  return Parse(ServerOptionRows(), arguments, env).and_then([&](const Values& values) {
    return MakeServerConfig(values, env);
  });
}

// Both parts in one line: `parts` occur in the refusal.
void ExpectRefusal(const std::vector<std::string>& arguments, const Environment& env,
                   const std::vector<std::string>& parts) {
  const auto config = Make(arguments, env);
  ASSERT_FALSE(config) << "accepted";
  EXPECT_EQ(config.error().code, Code::kInvalidParameter);
  EXPECT_EQ(config.error().message.find('\n'), std::string::npos);
  for (const std::string& part : parts) {
    EXPECT_NE(config.error().message.find(part), std::string::npos)
        << "no \"" << part << "\" in: " << config.error().message;
  }
}

TEST(ServerOptionsTest, TheDefaultsAreTheContracts) {
  const auto config = Make({});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->prometheus_urls, std::vector<std::string>{"http://localhost:9090"});
  EXPECT_EQ(config->listen_host, "0.0.0.0");
  EXPECT_EQ(config->port, 8080);
  EXPECT_EQ(config->grpc_health_port, 8081);
  EXPECT_EQ(config->log_level, log::Level::kInfo);
  EXPECT_EQ(config->cache_ttl, Millis(2000));
  EXPECT_EQ(config->max_stale, Millis(30'000));
  EXPECT_EQ(config->request_timeout, Millis(10'000));
  EXPECT_EQ(config->prometheus_timeout, Millis(9000));
  EXPECT_EQ(config->prometheus_max_concurrency, 16U);
  EXPECT_EQ(config->prometheus_max_response_bytes, 64U << 20U);
  EXPECT_EQ(config->drain_delay, Millis(5000));
  EXPECT_EQ(config->connection_max_age, Millis(120'000));
  EXPECT_EQ(config->debug_endpoints, DebugEndpoints::kOff);
  EXPECT_EQ(config->process_commands, ProcessCommands::kRedacted);
  EXPECT_FALSE(config->ready_requires_prometheus);
  EXPECT_TRUE(config->allowed_hosts.empty());
  EXPECT_TRUE(config->cors_allowed_origins.empty());
  EXPECT_EQ(config->base_path, "");
  EXPECT_EQ(config->stream_max_clients, 1000U);
  EXPECT_FALSE(config->healthcheck);
}

// Where a server may be led to ask what it should not: none of these is ever asked.
TEST(ServerOptionsTest, AUrlThatIsNoPrometheusStopsTheStart) {
  struct Row {
    std::string url;
    std::string why;
  };
  const std::string scheme = "does not begin with http:// or https://";
  const std::string character = "control character";
  const std::string host = "no valid host name";
  const std::string link = "link-local";
  const std::vector<Row> rows = {
      {"file:///etc/passwd", scheme},
      {"FILE:///etc/passwd", scheme},
      {"gopher://169.254.169.254/_x", scheme},
      {"ftp://hunter2:hunter2@prom/x", scheme},
      {"dict://prom:11211/stat", scheme},
      {"ldap://prom/", scheme},
      {"jar:http://prom!/x", scheme},
      {"data:text/plain,up", scheme},
      {"javascript:alert(1)", scheme},
      {"unix:///run/prometheus.sock", scheme},
      {"//169.254.169.254/", scheme},
      {"169.254.169.254", scheme},
      {"http:169.254.169.254", scheme},
      {"http:/169.254.169.254", scheme},
      {"http:\\\\169.254.169.254", scheme},
      {"\thttp://prom", character},
      {"http://prom\r\nX-Scope-OrgID: other", character},
      {"http://prom/\r\n\r\nGET /", character},
      {"http://prom\n", character},
      {std::string("http://prom\0.evil.example", 25), character},
      {"http://prom/\x7f", character},
      {"http://prom/\xff", "not UTF-8"},
      {"http://prom%0d%0aX: y", "percent-encoded"},
      {"http://prom%00.evil.example", host},
      {"http://prom\\@169.254.169.254", "percent-encoded"},
      {"http://hunter2:hun/ter2@169.254.169.254", "@ after its host"},
      {"http://prom@hunter2@169.254.169.254", "two @"},
      {"http://prom#@169.254.169.254/", "fragment"},
      {"http://prom?@169.254.169.254/", "query"},
      {"http://", host},
      {"http://@", host},
      {"http://:9090", host},
      {"http://1\xe2\x91\xa0"
       "9.254.169.254",
       "percent-encoded"},
      {"http://[fe80::1%25eth0]:9090", "IPv6"},
      {"http://[::ffff:169.254.169.254", "IPv6"},
      {"http://prom:0", "port"},
      {"http://prom:99999", "port"},
      {"http://prom:80:80", "port"},
      {"http://169.254.169.254", link},
      {"http://169.254.169.254:80/latest/meta-data/", link},
      {"http://hunter2:hunter2@169.254.169.254/", link},
      {"http://2852039166/", link},
      {"http://0xA9FEA9FE/", link},
      {"http://0251.0376.0251.0376/", link},
      {"http://169.254.43518/", link},
      {"http://[::ffff:169.254.169.254]/", link},
      {"http://[::ffff:a9fe:a9fe]/", link},
      {"http://[fe80::1]/", link},
      {"http://[fd00:ec2::254]/", link},
      {"http://prom:9090,http://169.254.169.254", link},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.url);
    ExpectRefusal({}, {{"PROMETHEUS_URL", row.url}}, {"PROMETHEUS_URL", row.why});
    const auto config = Make({"--prometheus-url=" + row.url});
    ASSERT_FALSE(config);
    for (const char c : config.error().message) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    EXPECT_EQ(config.error().message.find("hunter2"), std::string::npos);
    EXPECT_EQ(config.error().message.find("ter2@"), std::string::npos);
  }
}

TEST(ServerOptionsTest, ALinkLocalPrometheusIsAskedWhereThatIsMeant) {
  const auto config = Make({}, {{"PROMETHEUS_URL", "http://169.254.1.2:9090,http://[fe80::1]"},
                                {"PROMETHEUS_ALLOW_LINK_LOCAL", "true"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->prometheus_urls.size(), 2U);
  EXPECT_TRUE(Make({"--prometheus-url=http://169.254.1.2", "--prometheus-allow-link-local"}));
  ExpectRefusal({"--prometheus-url=http://169.254.1.2"}, {}, {"--prometheus-allow-link-local"});
}

TEST(ServerOptionsTest, EveryRowIsCompleteAndUnique) {
  std::set<std::string_view> flags;
  std::set<std::string_view> variables;
  for (const OptionRow& row : ServerOptionRows()) {
    EXPECT_TRUE(flags.insert(row.flag).second) << row.flag;
    if (!row.env.empty()) {
      EXPECT_TRUE(variables.insert(row.env).second) << row.env;
    }
    EXPECT_TRUE(row.help.ends_with('.')) << row.flag;
    if (row.env.empty() || row.flag == "--config") continue;
    // One name, two spellings.
    std::string spelled(row.env);
    for (char& c : spelled) c = c == '_' ? '-' : static_cast<char>(std::tolower(c));
    EXPECT_EQ("--" + spelled, row.flag);
  }
}

TEST(ServerOptionsTest, ReadsEveryVariable) {
  const ScratchFolder folder;
  const std::string file = folder.Write("token", "x");
  const auto config = Make({}, {{"PROMETHEUS_URL", "http://a:1/x/, https://b"},
                                {"PORT", "0"},
                                {"LOG_LEVEL", "debug"},
                                {"LISTEN_ADDR", "[::1]"},
                                {"GRPC_HEALTH_PORT", "0"},
                                {"CACHE_TTL", "500ms"},
                                {"MAX_STALE", "0s"},
                                {"REQUEST_TIMEOUT", "1m"},
                                {"PROMETHEUS_TIMEOUT", "1m"},
                                {"PROMETHEUS_MAX_CONCURRENCY", "4"},
                                {"PROMETHEUS_MAX_RESPONSE_BYTES", "1GiB"},
                                {"DRAIN_DELAY", "0s"},
                                {"CONNECTION_MAX_AGE", "0s"},
                                {"PROMETHEUS_BEARER_TOKEN_FILE", file},
                                {"PROMETHEUS_CA_FILE", file},
                                {"PROMETHEUS_HEADERS_FILE", file},
                                {"API_BEARER_TOKEN_FILE", file},
                                {"ALLOWED_HOSTS", "Dash.example,[::1]"},
                                {"CORS_ALLOWED_ORIGINS", "https://Dash.example:8443"},
                                {"BASE_PATH", "/gpu"},
                                {"DEBUG_ENDPOINTS", "all"},
                                {"PROCESS_COMMANDS", "name"},
                                {"DSTACK_URL", "unix:/run/vmm.sock"},
                                {"DSTACK_INTERVAL", "1s"},
                                {"HAKURIVER_URL", "http://haku:8000/river/"},
                                {"HAKURIVER_TOKEN_FILE", file},
                                {"READY_REQUIRES_PROMETHEUS", "true"}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->prometheus_urls, (std::vector<std::string>{"http://a:1/x", "https://b"}));
  EXPECT_EQ(config->port, 0);
  EXPECT_EQ(config->log_level, log::Level::kDebug);
  EXPECT_EQ(config->listen_host, "::1");
  EXPECT_EQ(config->grpc_health_port, 0);
  EXPECT_EQ(config->cache_ttl, Millis(500));
  EXPECT_EQ(config->max_stale, Millis(0));
  EXPECT_EQ(config->prometheus_timeout, Millis(60'000));
  EXPECT_EQ(config->prometheus_max_concurrency, 4U);
  EXPECT_EQ(config->prometheus_max_response_bytes, 1U << 30U);
  EXPECT_EQ(config->drain_delay, Millis(0));
  EXPECT_EQ(config->connection_max_age, Millis(0));
  EXPECT_EQ(config->prometheus_bearer_token_file, file);
  EXPECT_EQ(config->prometheus_basic_auth_file, "");
  EXPECT_EQ(config->prometheus_ca_file, file);
  EXPECT_EQ(config->prometheus_headers_file, file);
  EXPECT_EQ(config->api_bearer_token_file, file);
  EXPECT_EQ(config->allowed_hosts, (std::vector<std::string>{"dash.example", "::1"}));
  EXPECT_EQ(config->cors_allowed_origins, std::vector<std::string>{"https://dash.example:8443"});
  EXPECT_EQ(config->base_path, "/gpu");
  EXPECT_EQ(config->debug_endpoints, DebugEndpoints::kEverybody);
  EXPECT_EQ(config->process_commands, ProcessCommands::kName);
  EXPECT_TRUE(config->ready_requires_prometheus);
  EXPECT_EQ(config->dstack_url, "unix:/run/vmm.sock");
  EXPECT_TRUE(config->dstack_asked_for);
  EXPECT_FALSE(Make({})->dstack_asked_for);
  EXPECT_EQ(config->dstack_interval, Millis(1000));
  EXPECT_EQ(config->hakuriver_url, "http://haku:8000/river");
  EXPECT_EQ(config->hakuriver_token_file, file);
  EXPECT_EQ(Make({})->hakuriver_url, "");
}

TEST(ServerOptionsTest, TheListenAddressMayCarryThePort) {
  const auto config = Make({"--listen-addr", "127.0.0.1:9000"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->listen_host, "127.0.0.1");
  EXPECT_EQ(config->port, 9000);
  EXPECT_TRUE(Make({"--listen-addr", "[::1]:9000", "--port", "9000"}));
  ExpectRefusal(
      {"--listen-addr", "127.0.0.1:9000"}, {{"PORT", "8080"}},
      {"--listen-addr", "command line", "--port 8080", "environment variable PORT", "allowed:"});
}

TEST(ServerOptionsTest, RefusesContradictions) {
  const ScratchFolder folder;
  const std::string file = folder.Write("secret", "x");
  ExpectRefusal({"--prometheus-timeout=20s"}, {},
                {"--prometheus-timeout", "20s", "--request-timeout", "the default"});
  ExpectRefusal({}, {{"PROMETHEUS_BEARER_TOKEN_FILE", file}, {"PROMETHEUS_BASIC_AUTH_FILE", file}},
                {"--prometheus-basic-auth-file", "PROMETHEUS_BEARER_TOKEN_FILE"});
  ExpectRefusal({"--prometheus-url=http://u:hunter2@x", "--prometheus-basic-auth-file=" + file}, {},
                {"--prometheus-basic-auth-file", "contradicts the user in --prometheus-url"});
  ExpectRefusal({"--hakuriver-token-file=" + file}, {},
                {"--hakuriver-token-file", "--hakuriver-url, which is not set"});
  ExpectRefusal({"--hakuriver-url=http://u:hunter2@x", "--hakuriver-token-file=" + file}, {},
                {"--hakuriver-token-file", "contradicts the user in --hakuriver-url"});
  ExpectRefusal({"--grpc-health-port=8080"}, {}, {"--grpc-health-port", "HTTP port"});
  ExpectRefusal({"--cors-allowed-origins=*,https://a"}, {}, {"has * beside other origins"});
}

TEST(ServerOptionsTest, TheDefaultPrometheusTimeoutFollowsAShortRequestTimeout) {
  const auto config = Make({"--request-timeout=2s"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->prometheus_timeout, Millis(1800));
  EXPECT_EQ(Make({"--request-timeout=60s"})->prometheus_timeout, Millis(9000));
}

TEST(ServerOptionsTest, RefusesWrongValues) {
  for (const char* argument : {"--prometheus-url=",
                               "--prometheus-url=file:///etc/passwd",
                               "--prometheus-url=gopher://x",
                               "--prometheus-url=http://x?y",
                               "--port=65536",
                               "--listen-addr=",
                               "--listen-addr=example",
                               "--log-level=loud",
                               "--cache-ttl=11m",
                               "--prometheus-max-concurrency=0",
                               "--prometheus-max-response-bytes=1",
                               "--allowed-hosts=a:80",
                               "--cors-allowed-origins=dash.example",
                               "--cors-allowed-origins=https://a/",
                               "--base-path=/x/",
                               "--debug-endpoints=yes",
                               "--process-commands=none",
                               "--threads=0",
                               "--healthcheck=livez",
                               "--api-bearer-token-file=/does/not/exist"}) {
    const std::string text = argument;
    ExpectRefusal({text}, {}, {text.substr(0, text.find('=')), "command line", "allowed: "});
  }
}

TEST(ServerOptionsTest, NeverPrintsTheCredentialsOfAUrl) {
  for (const char* url : {"http://me:hunter2@x?y", "http://me:hunter2@x,", "me:hunter2@x",
                          "http://me:hun,ter2@x", "http://me:hunter2@x:0"}) {
    const auto config = Make({"--prometheus-url", url});
    ASSERT_FALSE(config) << url;
    EXPECT_EQ(config.error().message.find("hun"), std::string::npos) << config.error().message;
  }
}

TEST(ServerOptionsTest, TheHealthcheckHasAPathOfItsOwn) {
  EXPECT_EQ(Make({"--healthcheck"})->healthcheck, "/livez");
  EXPECT_EQ(Make({"--healthcheck", "/readyz"})->healthcheck, "/readyz");
  EXPECT_EQ(Make({"--healthcheck", "--port=1"})->healthcheck, "/livez");
  EXPECT_EQ(Make({"--debug-endpoints"})->debug_endpoints, DebugEndpoints::kLoopback);
}

TEST(ServerOptionsTest, CorsMayBeOpenToAll) {
  EXPECT_EQ(Make({"--cors-allowed-origins=*"})->cors_allowed_origins,
            std::vector<std::string>{"*"});
}

}  // namespace
}  // namespace gpumon::config
