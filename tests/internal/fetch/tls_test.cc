#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include "internal/fetch/client.h"
#include "tests/fakes/clock/fake_clock.h"
#include "tests/fakes/fault/tls_server.h"

namespace gpumon::fetch {
namespace {

using fault::TlsServer;

class TlsTest : public ::testing::Test {
 protected:
  void Make(const std::string& ca_file) {
    ClientOptions options;
    options.ca_file = ca_file;
    // Reading the system's roots takes its time in instrumented builds.
    options.connect_timeout = Millis(10000);
    client_ = MakeClient(options, clock_).value();
  }
  // 200, or the error.
  std::string Get(const TlsServer& server, bool any_certificate = false) {
    return Get(server.url(), any_certificate);
  }
  std::string Get(const std::string& url, bool any_certificate) {
    std::promise<Result<Response>> answer;
    Request request;
    request.url = url;
    request.any_certificate = any_certificate;
    client_->Fetch(request, Deadline::After(clock_, Millis(10000)),
                   [&](Result<Response> result) { answer.set_value(std::move(result)); });
    const Result<Response> result = answer.get_future().get();
    return result ? std::to_string(result->status) : std::string(result.error().wire_name());
  }

  FakeClock clock_;
  std::unique_ptr<Client> client_;
};

TEST_F(TlsTest, TrustsTheCaFile) {
  const TlsServer server;
  Make(server.certificate_file());
  EXPECT_EQ(Get(server), "200");
}

TEST_F(TlsTest, DoesNotTrustASelfSignedCertificate) {
  const TlsServer server;
  Make("");
  EXPECT_EQ(Get(server), "upstream_tls");
}

TEST_F(TlsTest, AnyCertificateWillDoForWhoAsksForItOnThisMachineAlone) {
  const TlsServer server;
  Make("");
  EXPECT_EQ(Get(server, true), "200");
  // Not on the connection that is there by now either.
  EXPECT_EQ(Get(server), "upstream_tls");
  // The same server, by an address that is none of loopback as it is written.
  const std::string port = server.url().substr(server.url().rfind(':'));
  EXPECT_EQ(Get("https://0.0.0.0" + port, true), "upstream_tls");
}

TEST_F(TlsTest, DoesNotTrustAnotherServersCertificate) {
  const TlsServer server;
  const TlsServer other;
  Make(other.certificate_file());
  EXPECT_EQ(Get(server), "upstream_tls");
}

TEST_F(TlsTest, TheCertificateMustNameTheHost) {
  const TlsServer server("DNS:prometheus.example");
  Make(server.certificate_file());
  EXPECT_EQ(Get(server), "upstream_tls");
}

TEST_F(TlsTest, RefusesOldProtocols) {
  const TlsServer server("IP:127.0.0.1", {"-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"});
  Make(server.certificate_file());
  EXPECT_EQ(Get(server), "upstream_tls");
}

TEST_F(TlsTest, SaysThatAClientCertificateIsAskedFor) {
  const TlsServer server("IP:127.0.0.1", {"-Verify", "1", "-verify_return_error"});
  Make(server.certificate_file());
  EXPECT_EQ(Get(server), "upstream_tls");
}

TEST_F(TlsTest, FollowsACaFileThatIsReplaced) {
  const TlsServer server;
  const TlsServer other;
  const std::string ca_file = other.certificate_file() + ".ca";
  std::filesystem::copy_file(other.certificate_file(), ca_file);
  Make(ca_file);
  EXPECT_EQ(Get(server), "upstream_tls");
  std::filesystem::copy_file(server.certificate_file(), ca_file + ".new");
  std::filesystem::rename(ca_file + ".new", ca_file);
  clock_.Advance(Millis(1000));
  EXPECT_EQ(Get(server), "200");
}

}  // namespace
}  // namespace gpumon::fetch
