// data_files.h declares how the data files that lets name become lists.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/parse/syntax.h"
#include "ordain/arena.h"
#include "ordain/diagnostic.h"

namespace ordain {

/// Gives every `let` of a data file its value. The files are sources of the diagnostics, marked `is_data`. What is
/// wrong with a file is reported in it, and its let is then an empty list.
void read_data_files(Arena& arena, Diagnostics& diagnostics, std::vector<syntax::File>& files);

namespace detail {

inline constexpr size_t kMaxDataBytes = size_t{128} << 20;

/// @returns where the data file is that a policy names, relative to the policy; "" if that leads out of the policy's
/// directory
std::string data_path(std::string_view policy, std::string_view path);

}  // namespace detail
}  // namespace ordain
