// data_values.h reads the values of one column of CSV, JSON or JSON Lines.
#pragma once

#include <cstdint>
#include <string_view>

#include "ordain/arena.h"
#include "ordain/diagnostic.h"
#include "ordain/value.h"

namespace ordain {

enum class DataFormat : uint8_t { csv, json, json_lines };

struct DataRequest {
  uint32_t file = 0;  ///< index into Diagnostics::sources
  DataFormat format = DataFormat::csv;
  std::string_view column;  ///< "" for files whose rows are single values
  Kind kind = Kind::string;
  bool is_set = true;  ///< a value that stands twice is a mistake
};

/// @returns a list, whose texts view the source or `arena`. Mistakes are reported at their rows, as `data-value`.
Value read_data_values(Arena& arena, Diagnostics& diagnostics, const DataRequest& request);

}  // namespace ordain
