#include "tests/fakes/docker/docker_engine.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <sstream>
#include <stdexcept>

namespace gpumon::docker {
namespace {

constexpr Millis kStart{30'000};

process::Environment Tools() {
  return {{"PATH", GPUMON_TOOLS "/usr/sbin:" GPUMON_TOOLS "/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
          {"LD_LIBRARY_PATH", GPUMON_TOOLS "/lib/x86_64-linux-gnu"}};
}

std::string LastLine(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return {};
  const std::size_t begin = text.rfind('\n', end) + 1;
  return text.substr(begin, end + 1 - begin);
}

}  // namespace

std::unique_ptr<Engine> Engine::Start(std::string& why) {
  if (!std::filesystem::exists(GPUMON_TOOLS "/usr/sbin/dockerd")) {
    why = "there is no dockerd in .run/tools; scripts/deps.sh test unpacks it";
    return nullptr;
  }
  if (getuid() != 0) {
    why = "dockerd needs root";
    return nullptr;
  }
  std::unique_ptr<Engine> engine(new Engine);
  const process::ScratchDirectory& folder = engine->directory_;
  engine->dockerd_ = std::make_unique<process::ChildProcess>(
      "/usr/bin/unshare",
      std::vector<std::string>{"--pid", "--fork", "--kill-child", "--mount-proc", "dockerd",
                               "--data-root", folder.File("data"), "--exec-root",
                               folder.File("exec"), "--pidfile", folder.File("pid"), "--host",
                               "unix://" + engine->socket(), "--bridge=none", "--iptables=false",
                               "--ip6tables=false", "--ip-forward=false", "--storage-driver=vfs"},
      Tools());
  const bool up = process::WaitUntil(
      [&] {
        return !engine->dockerd_->Running() ||
               process::Run(GPUMON_TOOLS "/usr/bin/docker",
                            {"--host", "unix://" + engine->socket(), "version"}, Tools())
                       .exit_code == 0;
      },
      kStart);
  if (up && engine->dockerd_->Running()) return engine;
  why = "dockerd does not come up here: " + LastLine(engine->dockerd_->Errors());
  return nullptr;
}

// A paused process takes no signal, and what is removed leaves no control group behind.
Engine::~Engine() {
  if (dockerd_ == nullptr || !dockerd_->Running()) return;
  try {
    std::vector<std::string> arguments = {"rm", "--force"};
    std::istringstream ids(Docker({"ps", "--all", "--quiet"}));
    for (std::string id; std::getline(ids, id);) arguments.push_back(id);
    if (arguments.size() > 2) Docker(arguments);
  } catch (const std::runtime_error& e) {
    std::fprintf(stderr, "%s\n", e.what());
  }
}

std::string Engine::Docker(const std::vector<std::string>& arguments) const {
  std::vector<std::string> all = {"--host", "unix://" + socket()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const process::Finished ran = process::Run(GPUMON_TOOLS "/usr/bin/docker", all, Tools());
  if (ran.exit_code != 0) throw std::runtime_error("docker: " + ran.errors);
  return ran.output;
}

void Engine::MakeImage(const std::string& name, const std::string& change) const {
  const std::filesystem::path inside = GPUMON_INSIDE;
  const std::string tar = directory_.File("inside.tar");
  const process::Finished packed =
      process::Run("/usr/bin/tar", {"-C", inside.parent_path().string(), "-cf", tar, "--transform",
                                    "s/.*/inside/", inside.filename().string()});
  if (packed.exit_code != 0) throw std::runtime_error("tar: " + packed.errors);
  std::vector<std::string> arguments = {"import"};
  if (!change.empty()) arguments.insert(arguments.end(), {"--change", change});
  arguments.insert(arguments.end(), {tar, name});
  Docker(arguments);
}

}  // namespace gpumon::docker
