#include "tests/cmd/gpuctl/stub_gpud.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace gpumon::ctl {

const std::map<std::string, std::string, std::less<>>& GpudAnswers() {
  static const std::map<std::string, std::string, std::less<>> kAnswers = {
      {"/v1/states",
       R"([{"component":"accelerator-nvidia-error-xid","states":[{"time":null,"name":"error_xid",)"
       R"("health":"Unhealthy","reason":"XID 79 detected","suggested_actions":{"description":"",)"
       R"("repair_actions":["REBOOT_SYSTEM"]}}]},{"component":"cpu","states":[)"
       R"({"time":"2026-03-01T09:15:00Z","health":"Healthy","reason":"ok"}]}])"},
      {"/v1/events", "[]"},
      {"/v1/metrics",
       R"([{"component":"x","metrics":[{"unix_seconds":1772356500123,)"
       R"("name":"accelerator_nvidia_temperature_current_celsius","labels":{"uuid":"GPU-a"},)"
       R"("value":61},{"unix_seconds":1772356500123,)"
       R"("name":"accelerator_nvidia_utilization_gpu_util_percent","labels":{"uuid":"GPU-a"},)"
       R"("value":63}]}])"},
      {"/machine-info", R"({"gpudVersion":"v0.5.1","hostname":"gn07","gpuInfo":{"product":)"
                        R"("NVIDIA L40S","gpus":[{"uuid":"GPU-a","minorID":"0"}]}})"},
  };
  return kAnswers;
}

fault::Reply ServeGpud(const fault::Request& request) {
  const auto found = GpudAnswers().find(request.target.substr(0, request.target.find('?')));
  return found == GpudAnswers().end() ? fault::HttpStatus(404, "404 page not found")
                                      : fault::Json(found->second);
}

TlsGpud::TlsGpud() {
  std::filesystem::create_directory(folder_.File("v1"));
  for (const auto& [path, text] : GpudAnswers()) folder_.Write(path.substr(1), text);
  const process::Finished made =
      process::Run("/usr/bin/env",
                   {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/O=Lepton AI",
                    "-keyout", folder_.File("key.pem"), "-out", folder_.File("cert.pem")});
  EXPECT_EQ(made.exit_code, 0) << made.errors;
  server_ = std::make_unique<process::ChildProcess>(
      "/bin/sh",
      std::vector<std::string>{"-c", "cd " + folder_.path() +
                                         " && exec openssl s_server -accept 127.0.0.1:0 -WWW "
                                         "-cert cert.pem -key key.pem"});
  EXPECT_TRUE(process::WaitUntil([&] { return !port().empty(); }, Millis(10'000)));
}

std::string TlsGpud::url() const {
  return "https://127.0.0.1:" + port();
}

std::string TlsGpud::port() const {
  constexpr std::string_view kBefore = "ACCEPT 127.0.0.1:";
  const std::string output = server_->Output();
  const std::size_t at = output.find(kBefore);
  const std::size_t end = at == std::string::npos ? at : output.find('\n', at);
  if (end == std::string::npos) return "";
  return output.substr(at + kBefore.size(), end - at - kBefore.size());
}

}  // namespace gpumon::ctl
