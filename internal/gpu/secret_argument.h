// Programs whose arguments are secrets though nothing in them says so.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "internal/gpu/secret_shape.h"

namespace gpumon::gpu {

// What a client takes by one letter.
enum class LetterValue : std::uint8_t {
  kSecret,
  kSecretOrPort,  // a number is a port
  kUser,          // user:password, or with UserSeparator
  kUserOrToken,   // the same, or a token
  kCookie,        // NAME=X
  kAfterSlash,    // its options begin with a slash: /p:X
};
struct LetterOption {
  std::string_view program;
  char letter;
  bool attached;  // -pX
  bool separate;  // -p X
  LetterValue value;
};
// Of a client that takes a secret so; empty for all others.
std::span<const LetterOption> LetterOptionsOf(std::string_view program);

// Between user and password: a colon, or what `program` has for it.
char UserSeparator(std::string_view program);

// `wandb login KEY`: its arguments are credentials.
bool IsLoginProgram(std::string_view program);

// Adds the secrets that programs take by place: `htpasswd -b FILE USER X`, `mc alias set NAME URL
// USER X`, `vault kv put PATH NAME=X`, `sqlplus USER/X@db`. Linear in the length of the text.
void FindPlacedSecrets(std::string_view text, TextSpans& spans);

// `/usr/bin/x` and `"x`: `x`.
std::string_view BaseName(std::string_view word);

// `&&`, `x;`: what follows is another command.
bool EndsCommand(std::string_view word);

// A call that begins behind `before` gives a variable its value: os.putenv("X", "Y"),
// os.environ.setdefault("X", "Y").
bool IsSetCall(std::string_view before);
// After these words the next ones name a setting and its value: aws configure set NAME X.
bool IsSetting(std::string_view word);
// The value of an option of this name is a user, and perhaps a password: curl's --cert too.
bool IsUserOption(std::string_view name, std::string_view program);
// The arguments of a call of this name, if they begin with a text, are a login:
// HTTPBasicAuth('me', 'X'), login('X'), set_password('X').
bool IsLoginCall(std::string_view name);

}  // namespace gpumon::gpu
