// utf8.cc validates and decodes UTF-8 by means of utf8cpp.
#include "stdlib/utf8.h"

#include <utf8.h>

#include <algorithm>
#include <cstring>

namespace ordain::stdlib {

uint32_t code_point_at(std::string_view text, size_t at) { return utf8::unchecked::peek_next(text.data() + at); }

size_t replace_invalid_utf8(std::string_view data, char* out) {
  const char* at = data.data();
  const char* const end = at + data.size();
  char* const start = out;
  while (at != end) {
    const char* bad = utf8::find_invalid(at, end);
    std::memcpy(out, at, static_cast<size_t>(bad - at));
    out += bad - at;
    at = bad;
    if (at == end) break;
    std::memcpy(out, "\xEF\xBF\xBD", 3);
    out += 3;
    // A code point is at most four bytes, so four bytes suffice to see whether a valid one starts
    // here.
    do {
      ++at;
    } while (at != end && utf8::find_invalid(at, at + std::min<ptrdiff_t>(4, end - at)) == at);
  }
  return static_cast<size_t>(out - start);
}

}  // namespace ordain::stdlib
