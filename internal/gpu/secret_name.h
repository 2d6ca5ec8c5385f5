// Does the name of an option, variable, header or JSON key say that its value is a secret?
#pragma once

#include <cstdint>
#include <string_view>

namespace gpumon::gpu {

enum class SecretKind : std::uint8_t {
  kNone,
  kPassword,       // every value is secret
  kPass,           // but for one digit: the passes of encoders
  kToken,          // but for paths and booleans
  kSignature,      // and versions, small numbers and `serving_default`
  kKey,            // but for paths, names of files, booleans and small numbers
  kList,           // `tokens`: but for numbers, paths and booleans
  kAuthorization,  // a scheme, then a secret; or the secret at once
  kCookie,         // secret up to the last `;`
  // Just one word: a secret where it is an option, a query parameter, or NAME=.
  kBareKey,
  kBarePin,      // with a digit
  kBareCode,     // long and random
  kBarePattern,  // `pat`, a personal access token unless it is a pattern or a file
};

// Names are read as words: `--api-key`, `API_KEY`, `apiKey` and `db.apikey` say the same.
// The last word decides, so `--token-file`, `--tokenizer`, `--max-tokens`, `--num-key-value-heads`
// and `--keypoints` are harmless; so do the words of machine learning: `--pad-token`,
// `--image-key`.
SecretKind JudgeName(std::string_view name);

// It says something only where it is an option, a query parameter, or NAME=.
bool IsBare(SecretKind kind);

// What may stand openly although JudgeName(its name) is `kind`.
bool IsHarmlessValue(SecretKind kind, std::string_view value);

// `Bearer`, `Basic`, ...: the credential is the next word. Any case.
bool IsAuthorizationScheme(std::string_view word);

// The last word of `name` says that a value is a version of something: `--revision`, `GIT_SHA`.
bool NamesAVersion(std::string_view name);

}  // namespace gpumon::gpu
