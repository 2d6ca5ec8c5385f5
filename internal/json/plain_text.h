// How far a string needs no second look.
#pragma once

#include <bit>
#include <cstddef>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace gpumon::json {

// The length of the front of `text` that holds no quote, backslash or control character, and, with
// `ascii_only`, no byte above 0x7f. Never looks beyond the text.
inline std::size_t PlainLength(std::string_view text, bool ascii_only) {
  std::size_t i = 0;
#if defined(__SSE2__)
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1f);
  for (; i + sizeof(__m128i) <= text.size(); i += sizeof(__m128i)) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    const __m128i control = _mm_cmpeq_epi8(_mm_max_epu8(block, last_control), last_control);
    const __m128i marked = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)), control);
    auto mask = static_cast<unsigned>(_mm_movemask_epi8(marked));
    if (ascii_only) mask |= static_cast<unsigned>(_mm_movemask_epi8(block));
    if (mask != 0) return i + static_cast<std::size_t>(std::countr_zero(mask));
  }
#endif
  for (; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '"' || byte == '\\' || byte < 0x20 || (ascii_only && byte >= 0x80)) break;
  }
  return i;
}

}  // namespace gpumon::json
