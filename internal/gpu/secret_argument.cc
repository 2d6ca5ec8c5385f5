#include "internal/gpu/secret_argument.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "internal/base/text.h"
#include "internal/gpu/characters.h"
#include "internal/gpu/secret_name.h"

namespace gpumon::gpu {
namespace {

using std::string_view;

// In the order of the programs.
constexpr std::array kLetterOptions = {
    LetterOption{"7z", 'p', true, false, LetterValue::kSecret},
    LetterOption{"7za", 'p', true, false, LetterValue::kSecret},
    LetterOption{"7zz", 'p', true, false, LetterValue::kSecret},
    LetterOption{"bcp", 'P', true, true, LetterValue::kSecret},
    LetterOption{"beeline", 'p', true, true, LetterValue::kSecret},
    LetterOption{"cqlsh", 'p', true, true, LetterValue::kSecret},
    LetterOption{"crackmapexec", 'p', true, true, LetterValue::kSecret},
    LetterOption{"curl", 'u', true, true, LetterValue::kUser},
    LetterOption{"curl", 'U', true, true, LetterValue::kUser},
    LetterOption{"curl", 'E', true, true, LetterValue::kUser},
    LetterOption{"curl", 'b', true, true, LetterValue::kCookie},
    LetterOption{"cypher-shell", 'p', true, true, LetterValue::kSecret},
    LetterOption{"doctl", 't', true, true, LetterValue::kSecret},
    LetterOption{"evil-winrm", 'p', true, true, LetterValue::kSecret},
    LetterOption{"freebcp", 'P', true, true, LetterValue::kSecret},
    LetterOption{"http", 'a', true, true, LetterValue::kUserOrToken},
    LetterOption{"https", 'a', true, true, LetterValue::kUserOrToken},
    LetterOption{"ipmitool", 'P', true, true, LetterValue::kSecret},
    LetterOption{"isql", 'P', true, true, LetterValue::kSecret},
    LetterOption{"keydb-cli", 'a', true, true, LetterValue::kSecret},
    LetterOption{"ldapadd", 'w', true, true, LetterValue::kSecret},
    LetterOption{"ldapdelete", 'w', true, true, LetterValue::kSecret},
    LetterOption{"ldapmodify", 'w', true, true, LetterValue::kSecret},
    LetterOption{"ldappasswd", 'w', true, true, LetterValue::kSecret},
    LetterOption{"ldappasswd", 's', true, true, LetterValue::kSecret},
    LetterOption{"ldapsearch", 'w', true, true, LetterValue::kSecret},
    LetterOption{"ldapwhoami", 'w', true, true, LetterValue::kSecret},
    LetterOption{"lftp", 'u', true, true, LetterValue::kUser},
    LetterOption{"login", 'p', true, true,
                 LetterValue::kSecret},  // docker login, az login, oc login
    LetterOption{"mariadb", 'p', true, false, LetterValue::kSecret},
    LetterOption{"mariadb-admin", 'p', true, false, LetterValue::kSecret},
    LetterOption{"mariadb-dump", 'p', true, false, LetterValue::kSecret},
    LetterOption{"memtier_benchmark", 'a', true, true, LetterValue::kSecret},
    LetterOption{"mongo", 'p', true, true, LetterValue::kSecret},
    LetterOption{"mongodump", 'p', true, true, LetterValue::kSecret},
    LetterOption{"mongoexport", 'p', true, true, LetterValue::kSecret},
    LetterOption{"mongoimport", 'p', true, true, LetterValue::kSecret},
    LetterOption{"mongorestore", 'p', true, true, LetterValue::kSecret},
    LetterOption{"mongosh", 'p', true, true, LetterValue::kSecret},
    LetterOption{"mongostat", 'p', true, true, LetterValue::kSecret},
    LetterOption{"mosquitto_pub", 'P', true, true, LetterValue::kSecret},
    LetterOption{"mosquitto_sub", 'P', true, true, LetterValue::kSecret},
    LetterOption{"mycli", 'p', true, false, LetterValue::kSecret},
    LetterOption{"mysql", 'p', true, false, LetterValue::kSecret},
    LetterOption{"mysqladmin", 'p', true, false, LetterValue::kSecret},
    LetterOption{"mysqldump", 'p', true, false, LetterValue::kSecret},
    LetterOption{"mysqlimport", 'p', true, false, LetterValue::kSecret},
    LetterOption{"mysqlpump", 'p', true, false, LetterValue::kSecret},
    LetterOption{"mysqlsh", 'p', true, false, LetterValue::kSecret},
    LetterOption{"mysqlshow", 'p', true, false, LetterValue::kSecret},
    LetterOption{"ncftp", 'p', true, true, LetterValue::kSecret},
    LetterOption{"ncftpget", 'p', true, true, LetterValue::kSecret},
    LetterOption{"ncftpls", 'p', true, true, LetterValue::kSecret},
    LetterOption{"ncftpput", 'p', true, true, LetterValue::kSecret},
    LetterOption{"netexec", 'p', true, true, LetterValue::kSecret},
    LetterOption{"nxc", 'p', true, true, LetterValue::kSecret},
    LetterOption{"openssl", 'k', false, true, LetterValue::kSecret},  // its -key is a file
    LetterOption{"openssl", 'K', false, true, LetterValue::kSecret},
    LetterOption{"psexec", 'p', false, true, LetterValue::kSecret},
    LetterOption{"psql", 'p', true, false, LetterValue::kSecretOrPort},
    LetterOption{"rabbitmqadmin", 'p', true, true, LetterValue::kSecret},
    LetterOption{"rar", 'p', true, false, LetterValue::kSecret},
    LetterOption{"rdesktop", 'p', true, true, LetterValue::kSecret},
    LetterOption{"redis-benchmark", 'a', true, true, LetterValue::kSecret},
    LetterOption{"redis-cli", 'a', true, true, LetterValue::kSecret},
    LetterOption{"rpcclient", 'U', true, true, LetterValue::kUser},
    LetterOption{"sdl-freerdp", 'p', false, false, LetterValue::kAfterSlash},
    LetterOption{"sdl-freerdp3", 'p', false, false, LetterValue::kAfterSlash},
    LetterOption{"smbclient", 'U', true, true, LetterValue::kUser},
    LetterOption{"smbget", 'U', true, true, LetterValue::kUser},
    LetterOption{"smbmap", 'p', true, true, LetterValue::kSecret},
    LetterOption{"snmpbulkwalk", 'c', true, true, LetterValue::kSecret},
    LetterOption{"snmpbulkwalk", 'A', true, true, LetterValue::kSecret},
    LetterOption{"snmpbulkwalk", 'X', true, true, LetterValue::kSecret},
    LetterOption{"snmpget", 'c', true, true, LetterValue::kSecret},
    LetterOption{"snmpget", 'A', true, true, LetterValue::kSecret},
    LetterOption{"snmpget", 'X', true, true, LetterValue::kSecret},
    LetterOption{"snmpset", 'c', true, true, LetterValue::kSecret},
    LetterOption{"snmpset", 'A', true, true, LetterValue::kSecret},
    LetterOption{"snmpset", 'X', true, true, LetterValue::kSecret},
    LetterOption{"snmpwalk", 'c', true, true, LetterValue::kSecret},
    LetterOption{"snmpwalk", 'A', true, true, LetterValue::kSecret},
    LetterOption{"snmpwalk", 'X', true, true, LetterValue::kSecret},
    LetterOption{"snowsql", 'p', true, true, LetterValue::kSecretOrPort},
    LetterOption{"sqlcmd", 'P', true, true, LetterValue::kSecret},
    LetterOption{"ssh-keygen", 'N', true, true, LetterValue::kSecret},
    LetterOption{"ssh-keygen", 'P', true, true, LetterValue::kSecret},
    LetterOption{"sshpass", 'p', true, true, LetterValue::kSecret},
    LetterOption{"steghide", 'p', true, true, LetterValue::kSecret},
    LetterOption{"tsql", 'P', true, true, LetterValue::kSecret},
    LetterOption{"ttyd", 'c', true, true, LetterValue::kUser},
    LetterOption{"twine", 'p', true, true, LetterValue::kSecret},
    LetterOption{"unrar", 'p', true, false, LetterValue::kSecret},
    LetterOption{"unzip", 'P', true, true, LetterValue::kSecret},
    LetterOption{"useradd", 'p', true, true, LetterValue::kSecret},
    LetterOption{"usermod", 'p', true, true, LetterValue::kSecret},
    LetterOption{"valkey-cli", 'a', true, true, LetterValue::kSecret},
    LetterOption{"winexe", 'U', true, true, LetterValue::kUser},
    LetterOption{"wlfreerdp", 'p', false, false, LetterValue::kAfterSlash},
    LetterOption{"wlfreerdp3", 'p', false, false, LetterValue::kAfterSlash},
    LetterOption{"xfreerdp", 'p', false, false, LetterValue::kAfterSlash},
    LetterOption{"xfreerdp3", 'p', false, false, LetterValue::kAfterSlash},
    LetterOption{"xh", 'a', true, true, LetterValue::kUserOrToken},
    LetterOption{"xhs", 'a', true, true, LetterValue::kUserOrToken},
    LetterOption{"xmrig", 'p', true, true, LetterValue::kSecret},
    LetterOption{"zip", 'P', true, true, LetterValue::kSecret},
};
constexpr bool ByProgram(const LetterOption& a, const LetterOption& b) {
  return a.program < b.program;
}
static_assert(std::is_sorted(kLetterOptions.begin(), kLetterOptions.end(), ByProgram));

struct Separator {
  string_view program;
  char character;
};
constexpr std::array kSeparators = {Separator{"smbclient", '%'}, Separator{"smbget", '%'},
                                    Separator{"rpcclient", '%'}, Separator{"winexe", '%'},
                                    Separator{"lftp", ','}};

constexpr std::array<string_view, 7> kLoginPrograms = {"wandb",
                                                       "vault",
                                                       "comet",
                                                       "neptune",
                                                       "huggingface-cli",
                                                       "hf",
                                                       "huggingface_hub.commands.huggingface_cli"};

}  // namespace

std::span<const LetterOption> LetterOptionsOf(string_view program) {
  const auto [begin, end] =
      std::equal_range(kLetterOptions.begin(), kLetterOptions.end(),
                       LetterOption{program, '\0', false, false, {}}, ByProgram);
  return {begin, end};
}

char UserSeparator(string_view program) {
  for (const Separator& separator : kSeparators) {
    if (separator.program == program) return separator.character;
  }
  return ':';
}

bool IsLoginProgram(string_view program) {
  return std::find(kLoginPrograms.begin(), kLoginPrograms.end(), program) != kLoginPrograms.end();
}

string_view BaseName(string_view word) {
  while (!word.empty() && IsQuote(word.front())) word.remove_prefix(1);
  if (const std::size_t slash = word.rfind('/'); slash != string_view::npos) {
    word.remove_prefix(slash + 1);
  }
  return word;
}

bool EndsCommand(string_view word) {
  return word == "&&" || word == "||" || word == ";" || word == "|" || word == "&" ||
         word.ends_with(';');
}

bool IsSetCall(string_view before) {
  while (!before.empty() && IsQuote(before.back())) before.remove_suffix(1);
  return before.ends_with("env(") || before.ends_with("environ.setdefault(");
}

bool IsUserOption(string_view name, string_view program) {
  constexpr std::array<string_view, 5> kNames = {"-u", "--user", "--proxy-user", "--proxyauth",
                                                 "proxyauth"};
  const bool cert = program == "curl" && (name == "--cert" || name == "--proxy-cert");
  return cert || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool IsSetting(string_view word) {
  constexpr std::array<string_view, 5> kSettings = {"set", "setenv", "config", "configure",
                                                    "modify"};
  while (!word.empty() && IsQuote(word.front())) word.remove_prefix(1);
  return std::any_of(kSettings.begin(), kSettings.end(),
                     [&](string_view setting) { return EqualsIgnoreCase(word, setting); });
}

bool IsLoginCall(string_view name) {
  // set_password('X'), client.setToken('X')
  const string_view own = name.substr(name.rfind('.') + 1);
  if (own.starts_with("set")) {
    const SecretKind kind = JudgeName(own.substr(3));
    if (kind != SecretKind::kNone && !IsBare(kind)) return true;
  }
  const string_view last = name.substr(name.size() - std::min<std::size_t>(name.size(), 4));
  return EqualsIgnoreCase(last, "auth") || name.ends_with("login");
}

}  // namespace gpumon::gpu
