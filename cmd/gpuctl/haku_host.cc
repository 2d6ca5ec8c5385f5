#include "cmd/gpuctl/haku_host.h"

#include <array>
#include <ostream>
#include <string_view>

#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/log_flags.h"
#include "cmd/gpuctl/logged_client.h"
#include "cmd/gpuctl/output.h"
#include "cmd/gpuctl/progress.h"
#include "internal/config/address.h"
#include "internal/fetch/url.h"

namespace gpumon::ctl {
namespace {

using config::Kind;
using config::OptionRow;

constexpr Millis kGlance{50};
constexpr std::string_view kDefaultHost = "localhost";
constexpr std::string_view kDefaultPort = "8000";

constexpr std::array kHostRows = {
    OptionRow{.flag = "--hakuriver-url",
              .env = "HAKURIVER_URL",
              .help = "The HakuRiver host's address. Not set: http://KOHAKURIVER_HOST:"
                      "KOHAKURIVER_PORT, or http://localhost:8000.",
              .allowed = "an http or https URL without query and fragment"},
    OptionRow{.flag = "--hakuriver-host", .env = "KOHAKURIVER_HOST", .hidden = true},
    OptionRow{.flag = "--hakuriver-port",
              .env = "KOHAKURIVER_PORT",
              .fallback = kDefaultPort,
              .kind = Kind::kInteger,
              .min = 1,
              .max = 65535,
              .hidden = true},
};
constexpr OptionRow kTokenBeside{.flag = "--hakuriver-token-file",
                                 .env = "HAKURIVER_TOKEN_FILE",
                                 .help =
                                     "A file whose first line is a token of the HakuRiver "
                                     "host's."};
constexpr std::array kAloneRows = {
    OptionRow{.flag = "--token-file",
              .env = "HAKURIVER_TOKEN_FILE",
              .kind = Kind::kPath,
              .help = "A file whose first line is a token of the host's."},
    OptionRow{.flag = "--ca-file",
              .kind = Kind::kPath,
              .help = "PEM certificates to trust instead of the system's."},
    OptionRow{.flag = "--timeout",
              .fallback = "30s",
              .kind = Kind::kDuration,
              .help = "How long to wait, all in all. Not set: 10s for nodes and status, 15s for "
                      "health and for kill.",
              .min = 100,
              .max = 600'000},
};

// The server's own token is never sent to another host: its flag alone may mean this one.
std::string TokenFileOf(const config::Values& values, HakuFlags flags) {
  if (flags == HakuFlags::kAlone) return values.Text("--token-file");
  if (values.Given("--hakuriver-token-file")) return values.Text("--hakuriver-token-file");
  const bool by_flag = values.origin("--token-file") == config::Origin::kFlag;
  return by_flag ? values.Text("--token-file") : std::string();
}

Result<std::string> UrlOf(const config::Values& values, const std::string& configured) {
  if (values.Given("--hakuriver-url")) {
    auto url = hakuriver::ParseBaseUrl(values.Text("--hakuriver-url"));
    const auto wrong = config::CheckUrl(values.Text("--hakuriver-url"));
    if (url && !wrong) return url;
    return Error(values.Refuse("--hakuriver-url", wrong ? wrong->message : url.error().message));
  }
  if (!configured.empty() && !values.Given("--hakuriver-host")) {
    auto url = hakuriver::ParseBaseUrl(configured);
    if (url && !config::CheckUrl(configured)) return url;
    return Error(
        Code::kInvalidParameter,
        "the section [network] of HakuRiver's configuration file names no host that can be asked");
  }
  std::string host = values.Text("--hakuriver-host");
  if (host.empty()) host = kDefaultHost;
  // Where it holds a scheme or a port already there is no more to add.
  std::string url = host.find("://") == std::string::npos ? "http://" + host : host;
  if (url.find(':', url.find("://") + 3) == std::string::npos) {
    url += ':' + std::to_string(values.Integer("--hakuriver-port"));
  }
  auto parsed = hakuriver::ParseBaseUrl(url);
  if (parsed && !config::CheckUrl(url)) return parsed;
  return Error(values.Refuse("--hakuriver-host", "is no host"));
}

}  // namespace

std::vector<OptionRow> WithHakuFlags(config::Rows rows, HakuFlags flags) {
  std::vector<OptionRow> all(rows.begin(), rows.end());
  all.insert(all.end(), kHostRows.begin(), kHostRows.end());
  if (flags == HakuFlags::kBeside) {
    all.push_back(kTokenBeside);
  } else {
    all.insert(all.end(), kAloneRows.begin(), kAloneRows.end());
    const config::Rows log = LogFlags();
    all.insert(all.end(), log.begin(), log.end());
  }
  return all;
}

bool IsHakuSource(const config::Values& values) {
  if (values.Given("--source")) return values.Text("--source") == "hakuriver";
  const bool named = values.Given("--hakuriver-url") || values.Given("--hakuriver-host");
  return named && !values.Given("--server");
}

HakuHost::HakuHost(std::string name, Millis timeout, std::ostream& err)
    : name_(std::move(name)), timeout_(timeout), err_(&err) {}

Deadline HakuHost::deadline() {
  if (!deadline_) deadline_ = Deadline::After(*clock_, timeout_);
  return *deadline_;
}

Result<HakuHost> HakuHost::Make(const config::Values& values, HakuFlags flags, Millis usual,
                                std::ostream& err, const std::string& configured) {
  auto url = UrlOf(values, configured);
  if (!url) return Error(url.error());
  const Millis timeout = values.Given("--timeout") ? values.Duration("--timeout") : usual;
  HakuHost host("HakuRiver at " + fetch::RedactUrl(*url), timeout, err);
  fetch::ClientOptions options;
  options.name_prefix = "HakuRiver's ";
  options.bearer_token_file = host.token_file_ = TokenFileOf(values, flags);
  options.ca_file = values.Text("--ca-file");
  options.gzip = fetch::Gzip::kAcrossMachines;
  auto made = fetch::MakeClient(options, *host.clock_);
  if (!made) return Error(Code::kInvalidParameter, made.error().message);
  host.fetch_ = Logged(*std::move(made), *host.clock_);
  host.client_ = std::make_unique<hakuriver::Client>(
      *host.fetch_, *host.clock_,
      hakuriver::ClientOptions{.base_url = *std::move(url), .name = host.name_});
  return host;
}

void HakuHost::Await(const std::function<bool(Millis)>& wait) {
  const Progress progress(*err_, "asking " + name_);
  while (!wait(kGlance)) {
  }
}

Status HakuHost::WithStep(Status why) const {
  switch (why.code) {
    case Code::kUpstreamUnreachable:
    case Code::kUpstreamTimeout:
      why.message += "; is the host running, and is --hakuriver-url (HAKURIVER_URL) right?";
      break;
    case Code::kUpstreamAuth:
      why.message += token_file_.empty() ? "; a token is given as a file: HAKURIVER_TOKEN_FILE"
                                         : "; it was given the token of " + token_file_;
      break;
    case Code::kNotFound:
      why.message += why.message.find(" node ") == std::string::npos
                         ? "; gpuctl tasks and gpuctl vps --all list those it has"
                         : "; gpuctl nodes --source hakuriver lists those it has";
      break;
    default:
      break;
  }
  return why;
}

Status NoTask(std::string_view command) {
  return {Code::kInvalidParameter, "a task is missing: gpuctl " + std::string(command) + " TASK"};
}

Status NoTaskId(const config::Values& values) {
  return values.Refuse("--task", "is no id of a HakuRiver task, which is a whole number below 2^63",
                       "such a number, task/NUMBER, or of a pod NAMESPACE/POD");
}

int HakuFail(const Status& why, std::ostream& err) {
  PrintError(why.message, err);
  const bool asked_wrong = why.code == Code::kNotFound || why.code == Code::kInvalidParameter ||
                           why.code == Code::kBadRequest;
  return asked_wrong ? kUsage : kNoAnswer;
}

}  // namespace gpumon::ctl
