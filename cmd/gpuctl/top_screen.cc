#include "cmd/gpuctl/top_screen.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>
#include <ostream>
#include <thread>
#include <utility>
#include <vector>

#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/output.h"
#include "cmd/gpuctl/progress.h"
#include "cmd/gpuctl/server_flags.h"
#include "cmd/gpuctl/terminal.h"
#include "cmd/gpuctl/top.h"
#include "internal/base/mutex.h"

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

constexpr std::array kRows = {
    OptionRow{.flag = "--interval",
              .fallback = "2s",
              .kind = Kind::kDuration,
              .help = "From one question to the next.",
              .min = 100,
              .max = 3'600'000},
    OptionRow{.flag = "--no-color",
              .env = "NO_COLOR",
              .help = "Anything: no colour.",
              .allowed = "anything",
              .bare = "1"},
};

// The age in the first line is told anew so often.
constexpr int kTickMs = 1000;
// An escape character that nothing follows for so long is the key.
constexpr int kEscapeMs = 50;

// Signals as something to read: the terminal is put right before one of them ends the program.
// Make one before any thread starts.
class Signals {
 public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP}) {
      sigaddset(&set, signal);
    }
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Signals() { close(fd_); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int fd() const { return fd_; }
  // The next one that came; 0 when there is none.
  int Take() const {
    signalfd_siginfo info{};
    if (read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return 0;
    return static_cast<int>(info.ssi_signo);
  }

 private:
  int fd_ = -1;
};

bool Ends(int signal) {
  return signal != 0 && signal != SIGWINCH && signal != SIGTSTP;
}

// Asks the server on a thread of its own, so that no key waits for an answer.
class Asker {
 public:
  Asker(Server& server, Millis interval)
      : server_(server), interval_(interval), fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    server_.SetGlance([this](Millis) {
      const MutexLock lock(mutex_);
      return stopping_;
    });
    thread_ = std::thread([this] { Work(); });
  }
  ~Asker() {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.NotifyAll();
    thread_.join();
    close(fd_);
  }
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

  // Readable once there is something to take.
  int fd() const { return fd_; }
  std::optional<Result<TopFleet>> Take() {
    std::uint64_t count = 0;
    if (read(fd_, &count, sizeof count) < 0) return std::nullopt;
    const MutexLock lock(mutex_);
    return std::exchange(answer_, std::nullopt);
  }

 private:
  void Work() {
    for (;;) {
      const auto next = std::chrono::steady_clock::now() + interval_;
      {
        const MutexLock lock(mutex_);
        while (!stopping_ && changed_.WaitUntil(mutex_, next)) {
        }
        if (stopping_) return;
      }
      auto fleet = AskFleet(server_);
      const MutexLock lock(mutex_);
      if (stopping_) return;
      answer_ = std::move(fleet);
      const std::uint64_t one = 1;
      // It is never so full that this fails.
      [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
    }
  }

  Server& server_;
  const Millis interval_;
  const int fd_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::optional<Result<TopFleet>> answer_ GUARDED_BY(mutex_);
  std::thread thread_;
};

class Top {
 public:
  Top(const Terminal& terminal, const Signals& signals, Asker& asker, TopFleet fleet, bool colors)
      : terminal_(terminal),
        signals_(signals),
        asker_(asker),
        fleet_(std::move(fleet)),
        colors_(colors) {}

  void Run() {
    while (Draw()) {
      std::array<pollfd, 3> files = {pollfd{STDIN_FILENO, POLLIN, 0},
                                     pollfd{signals_.fd(), POLLIN, 0},
                                     pollfd{asker_.fd(), POLLIN, 0}};
      const int ready = poll(files.data(), files.size(), bytes_.empty() ? kTickMs : kEscapeMs);
      if (ready == 0 && !bytes_.empty() && !PressAll(true)) return;
      if (files[0].revents != 0 && !(ReadKeys() && PressAll(false))) return;
      if (files[1].revents != 0 && !TakeSignals()) return;
      if (files[2].revents != 0) TakeAnswer();
    }
  }

 private:
  bool Draw() const {
    return terminal_.Draw(Frame(fleet_, view_, terminal_.size(), SystemClock().Wall(), colors_));
  }

  // False when the terminal is gone.
  bool ReadKeys() {
    std::array<char, 256> buffer{};
    const ssize_t count = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count <= 0) return false;
    bytes_.append(buffer.data(), static_cast<std::size_t>(count));
    return true;
  }

  bool PressAll(bool whole) {
    for (const TopKey& key : TakeKeys(bytes_, whole)) {
      if (!Press(key, fleet_, terminal_.size(), view_)) return false;
    }
    return true;
  }

  bool TakeSignals() const {
    while (const int signal = signals_.Take()) {
      if (Ends(signal)) return false;
      if (signal != SIGTSTP) continue;
      terminal_.Leave();
      raise(SIGSTOP);
      terminal_.Enter();
    }
    return true;
  }

  void TakeAnswer() {
    auto answer = asker_.Take();
    if (!answer) return;
    if (*answer) {
      fleet_ = **std::move(answer);
    } else {
      fleet_.away = answer->error().message;
    }
  }

  const Terminal& terminal_;
  const Signals& signals_;
  Asker& asker_;
  TopFleet fleet_;
  TopView view_;
  const bool colors_;
  std::string bytes_;  // keys that are not whole
};

}  // namespace

config::Rows TopOptions() {
  static const std::vector<OptionRow> kAll = [] {
    std::vector<OptionRow> rows(kRows.begin(), kRows.end());
    const std::vector<OptionRow> servers = WithServerFlags({});
    rows.insert(rows.end(), servers.begin(), servers.end());
    return rows;
  }();
  return kAll;
}

int RunTop(const config::Values& values, std::ostream& out, std::ostream& err) {
  const auto end = [&](const Status& status, int code) {
    PrintError(status.message, err);
    return code;
  };
  if (!Terminal::IsThere()) {
    return end(
        {Code::kUnavailable, "top needs a terminal; without one there is gpuctl get gpus --watch"},
        kUsage);
  }
  out.flush();
  const Signals signals;
  auto server = ServerOf(values);
  if (!server) return end(server.error(), kUsage);
  bool ended = false;
  server->SetGlance([&](Millis) { return ended = ended || Ends(signals.Take()); });
  // Before the first page: what is wrong with the server is then said in a line that stays.
  auto fleet = [&] {
    const Progress progress(err, "asking " + server->name());
    return AskFleet(*server);
  }();
  if (ended) return kWell;
  if (!fleet) return end(fleet.error(), kNoAnswer);
  const Terminal terminal;
  Asker asker(*server, values.Duration("--interval"));
  Top(terminal, signals, asker, *std::move(fleet), values.Text("--no-color").empty()).Run();
  return kWell;
}

}  // namespace gpumon::ctl
