// Programs whose arguments are secrets though nothing in them says so.
#pragma once

#include <array>
#include <string_view>

#include "internal/gpu/secret_shape.h"

namespace gpumon::gpu {

// Clients that take a password, or user:password, by one letter.
struct LetterOption {
  std::string_view program;
  char letter;
  bool attached;  // -pX
  bool separate;  // -p X
  bool user;      // the value is user:password, of kPercentPrograms user%password
};
inline constexpr std::array kLetterOptions = {
    LetterOption{"mysql", 'p', true, false, false},
    LetterOption{"mysqldump", 'p', true, false, false},
    LetterOption{"mysqladmin", 'p', true, false, false},
    LetterOption{"mysqlimport", 'p', true, false, false},
    LetterOption{"mysqlshow", 'p', true, false, false},
    LetterOption{"mysqlsh", 'p', true, false, false},
    LetterOption{"mycli", 'p', true, false, false},
    LetterOption{"mariadb", 'p', true, false, false},
    LetterOption{"mariadb-dump", 'p', true, false, false},
    LetterOption{"psql", 'p', true, false, false},
    LetterOption{"sshpass", 'p', true, true, false},
    LetterOption{"mongo", 'p', true, true, false},
    LetterOption{"mongosh", 'p', true, true, false},
    LetterOption{"mongodump", 'p', true, true, false},
    LetterOption{"mongorestore", 'p', true, true, false},
    LetterOption{"cypher-shell", 'p', true, true, false},
    LetterOption{"login", 'p', true, true, false},  // docker login, az login, oc login
    LetterOption{"redis-cli", 'a', true, true, false},
    LetterOption{"ldapsearch", 'w', true, true, false},
    LetterOption{"ldapmodify", 'w', true, true, false},
    LetterOption{"sqlcmd", 'P', true, true, false},
    LetterOption{"mosquitto_pub", 'P', true, true, false},
    LetterOption{"mosquitto_sub", 'P', true, true, false},
    LetterOption{"zip", 'P', true, true, false},
    LetterOption{"unzip", 'P', true, true, false},
    LetterOption{"7z", 'p', true, false, false},
    LetterOption{"ssh-keygen", 'N', true, true, false},
    LetterOption{"ssh-keygen", 'P', true, true, false},
    LetterOption{"openssl", 'k', false, true, false},  // its -key is a file
    LetterOption{"openssl", 'K', false, true, false},
    LetterOption{"smbclient", 'U', true, true, true},
    LetterOption{"smbget", 'U', true, true, true},
    LetterOption{"rpcclient", 'U', true, true, true},
    LetterOption{"curl", 'u', true, true, true},
    LetterOption{"curl", 'U', true, true, true},
};

inline constexpr std::array<std::string_view, 3> kPercentPrograms = {"smbclient", "smbget",
                                                                     "rpcclient"};

// `wandb login KEY`: whose arguments are credentials.
inline constexpr std::array<std::string_view, 4> kLoginPrograms = {"wandb", "vault", "comet",
                                                                   "neptune"};

// Adds the secrets that programs take by place: `htpasswd -b FILE USER X`, `mc alias set NAME URL
// USER X`. Linear in the length of the text.
void FindPlacedSecrets(std::string_view text, TextSpans& spans);

// `/usr/bin/x` and `"x`: `x`.
std::string_view BaseName(std::string_view word);

// `&&`, `x;`: what follows is another command.
bool EndsCommand(std::string_view word);

}  // namespace gpumon::gpu
