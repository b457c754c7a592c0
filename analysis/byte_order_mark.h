// The byte order mark, which some editors and shells write at the start of a file of events.
#pragma once

#include <string>
#include <string_view>

namespace ordain::detail {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Removes the mark from the start of a file's first line or chunk.
inline void remove_byte_order_mark(std::string& text) {
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
}

}  // namespace ordain::detail
