// Secrets that show themselves, whatever they are called.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace gpumon::gpu {

struct TextSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
};
using TextSpans = std::vector<TextSpan>;

// Each adds to `spans` what has to be masked in `text`, in any order and perhaps overlapping.
// Linear in the length of the text, whatever its bytes are.

// -----BEGIN ... to the end of its -----END ...-----, or of the text.
void FindPemBlocks(std::string_view text, TextSpans& spans);

// The userinfo of URLs, and the password of `user:password@host`. `ssh://git@host` has none.
void FindUserinfo(std::string_view text, TextSpans& spans);

// Tokens with a known beginning: JWT, AWS, GitHub, GitLab, Hugging Face, OpenAI, Stripe, Slack...
void FindKnownTokens(std::string_view text, TextSpans& spans);

// Base64 and hexadecimal words of 40 characters and more that look random. Directories of a path,
// UUIDs, `sha256:` digests and what `--revision` and `--commit` name are none.
void FindOpaqueWords(std::string_view text, TextSpans& spans);

}  // namespace gpumon::gpu
