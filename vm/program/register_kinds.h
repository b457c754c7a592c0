// The kinds of registers that instructions name, as the bytes that the bytecode holds.
#pragma once

#include <cstdint>

#include "ordain/value.h"

namespace ordain::vm::kinds {

inline constexpr uint8_t kBool = static_cast<uint8_t>(Kind::boolean);
inline constexpr uint8_t kInt = static_cast<uint8_t>(Kind::integer);
inline constexpr uint8_t kUint = static_cast<uint8_t>(Kind::unsigned_integer);
inline constexpr uint8_t kDouble = static_cast<uint8_t>(Kind::floating);
inline constexpr uint8_t kString = static_cast<uint8_t>(Kind::string);
inline constexpr uint8_t kList = static_cast<uint8_t>(Kind::list);
inline constexpr uint8_t kMap = static_cast<uint8_t>(Kind::map);
inline constexpr uint8_t kOptional = static_cast<uint8_t>(Kind::optional);

}  // namespace ordain::vm::kinds
