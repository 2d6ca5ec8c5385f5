#include "internal/checks/postgres.h"

#include <libpq-fe.h>
#include <poll.h>

#include <array>
#include <memory>
#include <string_view>
#include <utility>

#include "internal/checks/peer.h"

namespace gpumon::checks {
namespace {

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Finish>;
using Answer = std::unique_ptr<PGresult, Finish>;

constexpr std::string_view kPasswordHint =
    "give its password in a password file, PGPASSWORD or PGPASSFILE";
constexpr std::string_view kFullHint =
    "raise max_connections, or see in pg_stat_activity who holds the connections";

// An error that the server itself sent.
struct StateRow {
  std::string_view sqlstate;
  Status status;
  std::string_view hint;
};
constexpr std::array kStates = {
    StateRow{"28P01", Status::kUnhealthy, kPasswordHint},
    StateRow{"28000", Status::kUnhealthy, "allow this user from this machine in pg_hba.conf"},
    StateRow{"3D000", Status::kUnhealthy, "create the database, or name the one that is there"},
    StateRow{"53300", Status::kDegraded, kFullHint},
    StateRow{"57P01", Status::kDegraded, "it is being shut down: ask again when it is back"},
    StateRow{"57P02", Status::kDegraded, "it restarts after a crash: see its log"},
    StateRow{"57P03", Status::kDegraded, "wait until it has started: its log says how far it is"},
};

// A failure that libpq tells in these words.
struct FailureRow {
  std::string_view words;
  Status status;
  std::string_view details;
  std::string_view hint;
};
constexpr std::array kFailures = {
    FailureRow{"Connection refused", Status::kUnhealthy, "Connection refused",
               "see with `docker ps` that the container runs and that its port is this one"},
    FailureRow{"no password supplied", Status::kDegraded, "A password is needed", kPasswordHint},
    FailureRow{"invalid response to SSL negotiation", Status::kUnhealthy, "Not PostgreSQL",
               kSomebodyElse},
    FailureRow{"expected authentication request", Status::kUnhealthy, "Not PostgreSQL",
               kSomebodyElse},
    FailureRow{"invalid authentication request", Status::kUnhealthy, "Not PostgreSQL",
               kSomebodyElse},
    FailureRow{"lost synchronization with server", Status::kUnhealthy, "Not PostgreSQL",
               kSomebodyElse},
    FailureRow{"closed the connection unexpectedly", Status::kUnhealthy,
               "Connection closed by the server", ""},
};

// What an error text says: one line of the several that libpq makes of it.
struct Reason {
  std::string sqlstate;  // "" when it is not the server that said it
  std::string text;
};

// `FATAL:  53300: sorry, too many clients already`, in whatever language the first word is.
bool ReadServerError(std::string_view line, Reason& reason) {
  constexpr std::string_view kGap = ":  ";
  constexpr std::size_t kStateLength = 5;
  const auto gap = line.find(kGap);
  if (gap == std::string_view::npos) return false;
  const std::string_view rest = line.substr(gap + kGap.size());
  if (rest.size() < kStateLength + 2 || rest.substr(kStateLength, 2) != ": ") return false;
  const std::string_view state = rest.substr(0, kStateLength);
  if (state.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string_view::npos) {
    return false;
  }
  reason = {std::string(state), std::string(rest.substr(kStateLength + 2))};
  return true;
}

// Of several addresses and of tries with and without TLS, what the server said counts most, then
// what came last.
Reason ReasonOf(std::string_view said) {
  constexpr std::string_view kTry = "connection to server ";
  constexpr std::string_view kFailed = " failed: ";
  Reason reason;
  while (!said.empty()) {
    std::string_view line = said.substr(0, said.find('\n'));
    said.remove_prefix(std::min(said.size(), line.size() + 1));
    const bool begins = line.starts_with(kTry) && line.find(kFailed) != std::string_view::npos;
    if (begins) line.remove_prefix(line.find(kFailed) + kFailed.size());
    if (ReadServerError(line, reason)) return reason;
    if (begins || reason.text.empty()) reason.text = line;
  }
  return reason;
}

// One run of the probe. One thread.
class Run {
 public:
  Run(const PostgresTarget& target, const Clock& clock, Deadline deadline)
      : target_(target), clock_(clock), deadline_(deadline) {}

  Outcome Go() {
    const SteadyTime start = clock_.Steady();
    if (ReadPassword() && Open() && LogIn()) Ask();
    JudgePace("PostgreSQL", std::chrono::duration_cast<Millis>(clock_.Steady() - start),
              target_.slow_after, outcome_);
    return std::move(outcome_);
  }

 private:
  std::string Place() const { return PlaceOf(target_.host, target_.port); }
  void Step(std::string line) { outcome_.steps.push_back(std::move(line)); }

  // Always false.
  bool Fail(Status status, std::string details, const std::string& why, std::string_view hint) {
    outcome_.status = status;
    outcome_.details = std::move(details);
    outcome_.error = "PostgreSQL connection failed: " + why + " (" + Place() + ")";
    outcome_.hint = hint;
    if (!outcome_.hint.empty()) outcome_.hint += "; ";
    if (target_.container.empty()) {
      outcome_.hint += "see its log; test by hand: psql -h " + target_.host + " -p " +
                       std::to_string(target_.port) + " -U " + target_.user + " -d " +
                       target_.database;
    } else {
      outcome_.hint += "check the container: docker logs " + target_.container +
                       "; verify the connection parameters in manager.toml; test by hand: "
                       "docker exec -it " +
                       target_.container + " psql -U " + target_.user + " -d " + target_.database;
    }
    Step("failed: " + why);
    return false;
  }

  bool FailWith(const Reason& reason) {
    const std::string text = Said(reason.text);
    for (const StateRow& row : kStates) {
      if (row.sqlstate != reason.sqlstate) continue;
      return Fail(row.status, text, text + ", SQLSTATE " + reason.sqlstate, row.hint);
    }
    for (const FailureRow& row : kFailures) {
      if (!reason.sqlstate.empty() || text.find(row.words) == std::string::npos) continue;
      return Fail(row.status, std::string(row.details), text, row.hint);
    }
    const std::string state =
        reason.sqlstate.empty() ? std::string() : ", SQLSTATE " + reason.sqlstate;
    return Fail(Status::kUnhealthy, "Connection failed", text + state, "");
  }

  bool FailLate(const char* what) {
    return Fail(Status::kUnhealthy, "No answer in time", what, "");
  }

  std::string Said(std::string_view text) const {
    const char* const used = connection_ ? PQpass(connection_.get()) : nullptr;
    return Quotable(text, used == nullptr ? std::string_view() : std::string_view(used));
  }

  bool ReadPassword() {
    if (target_.password_file.empty()) return true;
    auto password = ReadPasswordFile(target_.password_file);
    if (!password) return Fail(Status::kUnknown, "No password", password.error().message, "");
    password_ = *std::move(password);
    Step("password from " + target_.password_file);
    return true;
  }

  // libpq looks names up for as long as that takes: it is given addresses.
  bool Open() {
    std::string hosts = target_.host;
    std::string addresses;
    if (!target_.host.starts_with('/')) {
      const auto found = AddressesOf(target_.host, clock_, deadline_);
      if (!found) {
        return Fail(Status::kUnhealthy, "Address not found", found.error().message, "");
      }
      hosts.clear();
      for (const std::string& address : *found) {
        const char* const comma = hosts.empty() ? "" : ",";
        hosts += comma + target_.host;
        addresses += comma + address;
      }
    }
    Step("connect to " + (addresses.empty() ? hosts : addresses) + " port " +
         std::to_string(target_.port) + " as user " + target_.user + ", database " +
         target_.database);
    const std::string port = std::to_string(target_.port);
    constexpr std::array kNames = {
        "host", "hostaddr", "port", "user", "dbname", "password", "client_encoding",
        // To ask a Kerberos server would block.
        "gssencmode", "fallback_application_name", static_cast<const char*>(nullptr)};
    const std::array<const char*, kNames.size()> values = {
        hosts.c_str(),
        addresses.empty() ? nullptr : addresses.c_str(),
        port.c_str(),
        target_.user.c_str(),
        target_.database.c_str(),
        password_.empty() ? nullptr : password_.c_str(),
        "UTF8",
        "disable",
        "gpuctl",
        nullptr};
    connection_.reset(PQconnectStartParams(kNames.data(), values.data(), 0));
    if (!connection_) return Fail(Status::kUnknown, "No memory", "no memory for libpq", "");
    // Shows the SQLSTATE, which libpq tells of a failed login in no other way.
    PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
    return true;
  }

  bool LogIn() {
    PGconn* const connection = connection_.get();
    auto next =
        PQstatus(connection) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
      if (next == PGRES_POLLING_FAILED) return FailWith(ReasonOf(PQerrorMessage(connection)));
      if (!AwaitSocket(PQsocket(connection), next == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                       clock_, deadline_)) {
        return FailLate(PQstatus(connection) == CONNECTION_STARTED
                            ? "the connection was not accepted in time"
                            : "the connection was accepted, and the login not answered in time");
      }
      next = PQconnectPoll(connection);
    }
    const char* const version = PQparameterStatus(connection, "server_version");
    Step("logged in, server version " + Said(version == nullptr ? "unknown" : version) +
         (PQsslInUse(connection) != 0 ? ", TLS" : ", no TLS"));
    return true;
  }

  void Ask() {
    PGconn* const connection = connection_.get();
    // Else PQfinish could wait for a peer that takes nothing more.
    PQsetnonblocking(connection, 1);
    if (PQsendQuery(connection, "SELECT version()") == 0) {
      FailWith(ReasonOf(PQerrorMessage(connection)));
      return;
    }
    for (int unsent = PQflush(connection); unsent != 0 || PQisBusy(connection) != 0;
         unsent = PQflush(connection)) {
      const short events = unsent > 0 ? POLLIN | POLLOUT : POLLIN;
      if (!AwaitSocket(PQsocket(connection), events, clock_, deadline_)) {
        FailLate("SELECT version() was not answered in time");
        return;
      }
      if (PQconsumeInput(connection) == 0) {
        FailWith(ReasonOf(PQerrorMessage(connection)));
        return;
      }
    }
    Judge(Answer(PQgetResult(connection)).get());
  }

  void Judge(const PGresult* answer) {
    if (PQresultStatus(answer) != PGRES_TUPLES_OK) {
      const char* const state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
      if (state == nullptr || std::string_view(state).starts_with("57P")) {
        FailWith(ReasonOf(PQerrorMessage(connection_.get())));
        return;
      }
      const char* const text = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
      Fail(Status::kDegraded, "Query failed",
           "SELECT version(): " + Said(text == nullptr ? "an error" : text) + ", SQLSTATE " +
               Said(state),
           "");
      return;
    }
    const std::string version =
        PQntuples(answer) > 0 && PQnfields(answer) > 0 ? Said(PQgetvalue(answer, 0, 0)) : "";
    Step("SELECT version(): " + version);
    if (version.empty()) {
      Fail(Status::kDegraded, "Query failed", "SELECT version() had no answer", "");
      return;
    }
    outcome_.status = Status::kHealthy;
    outcome_.details = "Connected - " + version.substr(0, version.find(' ', version.find(' ') + 1));
  }

  const PostgresTarget& target_;
  const Clock& clock_;
  const Deadline deadline_;
  std::string password_;
  Connection connection_;
  Outcome outcome_;
};

}  // namespace

Probe PostgresProbe(PostgresTarget target) {
  return [target = std::move(target)](const Clock& clock, Deadline deadline) {
    return Run(target, clock, deadline).Go();
  };
}

}  // namespace gpumon::checks
