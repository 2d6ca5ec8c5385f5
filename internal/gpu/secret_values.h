// Values whose names are known to be secret.
#pragma once

#include <cstddef>
#include <string_view>

#include "internal/gpu/command_text.h"
#include "internal/gpu/secret_name.h"
#include "internal/gpu/secret_shape.h"

namespace gpumon::gpu {

// Finds how far a value goes, and adds it to `spans` unless it is harmless.
class SecretValues {
 public:
  SecretValues(CommandText& text, TextSpans& spans) : text_(text), spans_(spans) {}

  struct Taken {
    std::size_t end = 0;
    SecretKind next = SecretKind::kNone;  // of the next word, when that is a value too
  };
  // Of a name of `kind`: a word, a quoted text, a list in brackets or a structure.
  Taken Take(std::size_t begin, SecretKind kind);
  // curl -b NAME=X; without an equal sign it is a file.
  Taken TakeCookie(std::size_t begin, std::size_t end);
  // Up to the next parameter; of an `encoded` URL, to the next encoded parameter. Returns where.
  std::size_t TakeQuery(std::size_t begin, std::size_t end, SecretKind kind, bool encoded);
  // `me:password`, or as `program` writes it; user and group ids of containers (1000:1000) are
  // none. What has no user is a token where `or_token`.
  void TakeUser(std::size_t begin, std::size_t end, std::string_view program, bool or_token);

  void MaskUnlessHarmless(std::size_t begin, std::size_t end, SecretKind kind);
  void Mask(std::size_t begin, std::size_t end);

 private:
  CommandText& text_;
  TextSpans& spans_;
};

}  // namespace gpumon::gpu
