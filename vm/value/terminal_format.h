// Formats text for a terminal: what stands in the format is ours and stays as it is, and every text
// among the arguments passes through `terminal_text`. A caller cannot forget one.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "ordain/terminal_text.h"

namespace ordain::detail {

/// Text that is safe already, and is written as it is: it has colours of ours, several lines of
/// ours, or JSON.
struct ReadyText {
  std::string text;
};

template <typename T>
auto for_terminal(const T& value) {
  if constexpr (std::is_same_v<T, ReadyText>) {
    return std::string_view(value.text);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    return terminal_text(value);
  } else {
    static_assert(std::is_arithmetic_v<T>, "only texts and numbers are known to be safe");
    return value;
  }
}

template <typename T>
using ForTerminal = decltype(for_terminal(std::declval<const T&>()));

template <typename... Args>
std::string format_for_terminal(fmt::format_string<ForTerminal<Args>...> format, const Args&... args) {
  const auto write = [&](const auto&... shown) {
    return fmt::vformat(fmt::string_view(format), fmt::make_format_args(shown...));
  };
  return write(for_terminal(args)...);
}

}  // namespace ordain::detail
