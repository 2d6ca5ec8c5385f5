// How a process's command line is shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gpumon::gpu {

// Option PROCESS_COMMANDS.
enum class CommandStyle : std::uint8_t { kRedacted, kFull, kName, kHidden };

// kFull: as it is. kHidden: "". kRedacted: with everything that looks like a secret replaced by
// `***`. kName: the first word, redacted.
//
// Secrets are: values of options, variables, headers, query parameters, JSON keys and elements
// whose names say password, secret, token, key, credential, authorization or cookie
// (secret_name.h), also percent-encoded; passwords that clients take by letter (`mysql -pX`,
// `sshpass -p X`, `redis-cli -a X`, `curl -u me:X`) or by place (`htpasswd -b f me X`;
// secret_argument.h); what is piped into a program that asks (`echo X | sudo -S`; secret_pipe.h);
// what follows Bearer; userinfo of URLs and stream keys (secret_url.h); tokens with a known
// beginning (secret_token.h); PEM blocks and long random words (secret_shape.h).
//
// In doubt it masks: the word after `password`, also in a sentence, goes, and so does a bare commit
// id of 40 hexadecimal digits, which looks as an API key does. But `--revision ID`, `package@ID`,
// `sha256:ID`, directories named ID and UUIDs stay, as do paths and booleans given to options that
// name a token, key or credential, `--tokens 4096` and `-pass 1`. What it cannot know stays too: a
// password without a name, and `--password --letmein`, which may be two options.
//
// Total: any bytes, cut at ASCII characters only, in time linear in their number.
std::string ShowCommand(std::string_view command, CommandStyle style);

}  // namespace gpumon::gpu
