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
// Secrets are: values of options, variables, headers, query parameters and JSON keys whose names
// say password, secret, token, key, credential, authorization or cookie (secret_name.h);
// passwords that clients take by letter (`mysql -pX`, `sshpass -p X`, `redis-cli -a X`,
// `curl -u me:X`) or by place (`htpasswd -b f me X`; secret_argument.h); what follows Bearer;
// userinfo of URLs, tokens with a known beginning, PEM blocks and long random words
// (secret_shape.h).
//
// In doubt it masks: a bare commit id of 40 hexadecimal digits looks as an API key does and goes,
// but `--revision ID`, `package@ID`, `sha256:ID`, directories named ID and UUIDs stay, as do
// paths and booleans given to options that name a token, key or credential.
//
// Total: any bytes, cut at ASCII characters only, in time linear in their number.
std::string ShowCommand(std::string_view command, CommandStyle style);

}  // namespace gpumon::gpu
