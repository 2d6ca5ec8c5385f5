// Programs whose arguments are secrets though nothing in them says so.
#pragma once

#include <array>
#include <string_view>

namespace gpumon::gpu {

// Clients that take a password, or user:password, by one letter.
struct LetterOption {
  std::string_view program;
  char letter;
  bool attached;  // -pX
  bool separate;  // -p X
  bool user;      // the value is user:password
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
    LetterOption{"curl", 'u', true, true, true},
    LetterOption{"curl", 'U', true, true, true},
};

// `wandb login KEY`: whose arguments are credentials.
inline constexpr std::array<std::string_view, 4> kLoginPrograms = {"wandb", "vault", "comet",
                                                                   "neptune"};

}  // namespace gpumon::gpu
