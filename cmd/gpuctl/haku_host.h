// The HakuRiver host that gpuctl asks.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cmd/gpuctl/progress.h"
#include "internal/base/clock.h"
#include "internal/base/result.h"
#include "internal/config/options.h"
#include "internal/fetch/client.h"
#include "internal/hakuriver/client.h"

namespace gpumon::ctl {

// kAlone: a command that asks a HakuRiver host and nobody else. kBeside: one that has the flags of
// a gpu-monitoring-api too, whose variables never reach this host.
enum class HakuFlags : std::uint8_t { kAlone, kBeside };

// `rows`, then the flags that say which host. Of kBeside the server's flags must be among `rows`.
std::vector<config::OptionRow> WithHakuFlags(config::Rows rows, HakuFlags flags);
inline constexpr config::OptionRow kHakuSourceRow{.flag = "--source",
                                                  .fallback = "api",
                                                  .kind = config::Kind::kWord,
                                                  .help =
                                                      "Who is asked; hakuriver where only "
                                                      "HAKURIVER_URL is set.",
                                                  .allowed = "api|hakuriver"};
// By --source; else a host is named, and a server is not.
bool IsHakuSource(const config::Values& values);

// One thread at a time.
class HakuHost {
 public:
  // `usual` is how long to wait where --timeout does not say; `configured` the URL of a file, which
  // counts where neither flag nor variable names one, "" for none. kInvalidParameter in one line.
  static Result<HakuHost> Make(const config::Values& values, HakuFlags flags, Millis usual,
                               std::ostream& err, const std::string& configured = {});

  // Waits for one call: Ask<Task>([&](auto got) { host.client().GetTask(id, host.deadline(), got);
  // }). Says on a terminal that it waits. The error has the next step.
  template <class T, class Begin>
  Result<T> Ask(Begin begin) {
    const auto promise = std::make_shared<std::promise<Result<T>>>();
    auto future = promise->get_future();
    begin(hakuriver::Got<T>([promise](Result<T> got) { promise->set_value(std::move(got)); }));
    const auto wait = [&future](Millis limit) {
      return future.wait_for(limit) == std::future_status::ready;
    };
    Await(wait);
    Result<T> result = future.get();
    if (!result) result.error() = WithStep(std::move(result.error()));
    return result;
  }
  hakuriver::Client& client() { return *client_; }
  // Of all calls together, from the first on.
  Deadline deadline();
  // The next call is the first of another round.
  void BeginAgain() { deadline_.reset(); }
  // "HakuRiver at http://gn01:8000", without credentials.
  const std::string& name() const { return name_; }

 private:
  HakuHost(std::string name, Millis timeout, std::ostream& err);
  void Await(const std::function<bool(Millis)>& wait);
  Status WithStep(Status why) const;

  std::unique_ptr<SystemClock> clock_ = std::make_unique<SystemClock>();
  std::unique_ptr<fetch::Client> fetch_;
  std::unique_ptr<hakuriver::Client> client_;
  std::string name_;
  std::string token_file_;
  Millis timeout_;
  std::optional<Deadline> deadline_;
  std::ostream* err_;
};

// The command was given none.
Status NoTask(std::string_view command);
// Of what --task says.
Status NoTaskId(const config::Values& values);

// In one line on `err`; the exit code is an Exit.
int HakuFail(const Status& why, std::ostream& err);

}  // namespace gpumon::ctl
