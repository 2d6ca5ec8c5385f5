// A server that speaks TLS, by the openssl program.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace gpumon::fault {

// Has a self-signed certificate of its own and answers every GET with 200 and a page of text.
// Aborts the test program when openssl cannot be run. One thread at a time.
class TlsServer {
 public:
  // `alternative_name` as a certificate spells it; `more` are further options of `openssl
  // s_server`.
  explicit TlsServer(const std::string& alternative_name = "IP:127.0.0.1",
                     const std::vector<std::string>& more = {});
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }
  // PEM, to be trusted; lives as long as the server.
  std::string certificate_file() const { return folder_ + "/cert.pem"; }

 private:
  std::string folder_;
  pid_t server_ = -1;
  int output_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace gpumon::fault
