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

// Base64 and hexadecimal words of 40 characters and more that look random, and secret access keys
// of AWS, which are 40 characters of base64. Directories of a path, UUIDs, `sha256:` digests and
// what `--revision` and `--commit` name are none.
void FindOpaqueWords(std::string_view text, TextSpans& spans);

// It begins with `sha256:` or the like.
bool IsDigestName(std::string_view text);

}  // namespace gpumon::gpu
