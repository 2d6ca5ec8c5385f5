#include <array>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "cmd/gpuctl/answer_json.h"
#include "cmd/gpuctl/app.h"
#include "cmd/gpuctl/haku.h"
#include "cmd/gpuctl/haku_config.h"
#include "cmd/gpuctl/haku_host.h"
#include "cmd/gpuctl/output.h"
#include "internal/base/text.h"

namespace gpumon::ctl {
namespace {

using hakuriver::What;

enum class Subject : std::uint8_t { kNone, kOptional, kNeeded };

struct VerbRow {
  std::string_view verb;
  What what;
  Subject subject;
  int seconds;
};
constexpr VerbRow kKill{"kill", What::kKill, Subject::kNeeded, 15};
// Which of two, its word says.
constexpr VerbRow kCommand{"command", What::kPause, Subject::kNeeded, 30};
constexpr std::array kClientVerbs = {
    VerbRow{"nodes", What::kNodes, Subject::kNone, 10},
    VerbRow{"health", What::kHealth, Subject::kOptional, 15},
    VerbRow{"status", What::kTask, Subject::kNeeded, 10},
    kKill,
    kCommand,
};
constexpr std::array kTaskVerbs = {
    VerbRow{"stdout", What::kStdout, Subject::kNeeded, 30},
    VerbRow{"stderr", What::kStderr, Subject::kNeeded, 30},
    kKill,
    kCommand,
};
constexpr std::array kVpsVerbs = {
    VerbRow{"status", What::kActiveVps, Subject::kNone, 30},
    kKill,
    kCommand,
};

struct Program {
  std::string_view name;
  std::span<const VerbRow> verbs;
};

std::string NamesOf(std::span<const VerbRow> verbs) {
  std::string all;
  for (const VerbRow& row : verbs) all += (all.empty() ? "" : ", ") + std::string(row.verb);
  return all;
}

int Refuse(const Program& program, std::string_view why, std::ostream& err) {
  err << "gpuctl: hakuriver." << program.name << ' ' << why << "; see hakuriver." << program.name
      << " --help\n";
  return kUsage;
}

// Null, and said why.
const VerbRow* VerbOf(const Program& program, const config::Values& values, std::ostream& err) {
  const std::string& verb = values.Text("--verb");
  for (const VerbRow& row : program.verbs) {
    if (row.verb == verb) return &row;
  }
  if (verb == "submit") {
    err << "gpuctl: this tool watches and submits nothing; HakuRiver's own hakuriver."
        << program.name << " submit does, on a machine where HakuRiver is installed\n";
    return nullptr;
  }
  Refuse(program,
         (verb.empty() ? "needs" : "knows no such command; it needs") +
             (" one of " + NamesOf(program.verbs)),
         err);
  return nullptr;
}

Result<hakuriver::Call> CallOf(const VerbRow& row, const config::Values& values) {
  const std::string& subject = values.Text("--subject");
  const std::string& word = values.Text("--word");
  const std::string verb(row.verb);
  if (row.subject == Subject::kNeeded && !hakuriver::IsTaskId(subject)) {
    return Error(Code::kInvalidParameter, verb + " needs the number of a task");
  }
  if (row.subject == Subject::kNone && !subject.empty()) {
    return Error(Code::kInvalidParameter, verb + " takes no argument");
  }
  hakuriver::Call call{.what = row.what, .subject = subject};
  const bool command = row.verb == kCommand.verb;
  if (command && word != "pause" && word != "resume") {
    return Error(Code::kInvalidParameter, verb + " needs pause or resume behind the task");
  }
  if (!command && !word.empty()) {
    return Error(Code::kInvalidParameter, verb + " takes no further argument");
  }
  if (command && word == "resume") call.what = What::kResume;
  return call;
}

int Print(const hakuriver::Call& call, const hakuriver::RawAnswer& answer, std::ostream& out,
          std::ostream& err) {
  const bool good = answer.status >= 200 && answer.status < 300;
  if (good && hakuriver::IsLog(call.what)) {
    PrintForeign(answer.body, out);
    return kWell;
  }
  out << "HTTP Status Code: " << answer.status << '\n';
  const auto document = json::ParseDocument(ToValidUtf8(answer.body));
  if (document) {
    out << IndentedJson(*document) << '\n';
    return good ? kWell : kFindings;
  }
  if (!good) return kFindings;
  err << "gpuctl: what answers there is no HakuRiver host: it sent no JSON\n";
  return kNoAnswer;
}

int RunProgram(const Program& program, const config::Values& values, std::ostream& out,
               std::ostream& err) {
  const VerbRow* const row = VerbOf(program, values, err);
  if (row == nullptr) return kUsage;
  const auto call = CallOf(*row, values);
  if (!call) return Refuse(program, call.error().message, err);
  const auto configured = HakuUrlOfConfig(values.Text("--hakuriver-config"));
  if (!configured) return HakuFail(configured.error(), err);
  auto host = HakuHost::Make(values, HakuFlags::kAlone, std::chrono::seconds(row->seconds), err,
                             *configured);
  if (!host) return HakuFail(host.error(), err);
  const auto answer = host->Ask<hakuriver::RawAnswer>(
      [&](auto got) { host->client().GetRaw(*call, host->deadline(), got); });
  if (!answer) {
    Status why = answer.error();
    if (why.code == Code::kUpstreamTooLarge && hakuriver::IsLog(call->what)) {
      why.message += "; gpuctl logs " + call->subject +
                     (call->what == What::kStderr ? " --stderr" : "") + " prints the end of it";
    }
    return HakuFail(why, err);
  }
  return Print(*call, *answer, out, err);
}

}  // namespace

int RunHakuClient(const config::Values& values, std::ostream& out, std::ostream& err) {
  return RunProgram({"client", kClientVerbs}, values, out, err);
}
int RunHakuTask(const config::Values& values, std::ostream& out, std::ostream& err) {
  return RunProgram({"task", kTaskVerbs}, values, out, err);
}
int RunHakuVps(const config::Values& values, std::ostream& out, std::ostream& err) {
  return RunProgram({"vps", kVpsVerbs}, values, out, err);
}

}  // namespace gpumon::ctl
