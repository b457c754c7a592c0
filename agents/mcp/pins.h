// Pins remember how the tools of a server were defined when a person first used or last accepted them. What a model
// reads of a tool, a server may change at any time; a changed definition is not used until somebody accepts it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "ordain/result.h"

namespace ordain::mcp {

enum class PinState {
  accepted,
  changed,  ///< the tool is defined otherwise than what was accepted
  added,    ///< the server did not have the tool when its tools were first listed
};

/// What is known of the tools of one server. A definition is the tool as the server lists it, as canonical JSON.
struct PinTable {
  bool complete = false;  ///< the tools were listed to the end once; until then new ones are accepted as they come
  std::map<std::string, std::string, std::less<>> accepted;  ///< name -> definition
  std::map<std::string, std::string, std::less<>> offered;   ///< likewise, of what waits to be accepted
};

/// Compares a definition with the accepted one, and notes it in the table if it is new or changed.
/// @param noted set to true if the table was changed
PinState judge_definition(PinTable& table, std::string_view name, std::string_view definition, bool* noted);

/// More tools than this are not noted.
inline constexpr size_t kMostPins = 10'000;

/// The table of a server, in a file of the database directory that several processes may share.
class PinFile {
 public:
  /// @param directory must exist; if it is empty, the table stays in memory
  PinFile(std::string directory, std::string server);

  /// @returns an empty table if there is no file; error "bad_pins" if it cannot be read as a table
  Result<PinTable> read() const;
  /// Reads the table, and writes it if `edit` returns true. No other process changes it meanwhile.
  /// @returns error "bad_pins", or "unwritable"
  Result<void> change(const std::function<bool(PinTable&)>& edit);

 private:
  std::string directory_, server_;
  PinTable memory_;
};

/// Whether a name can stand for a server in names of capabilities and files: letters, digits, `_` and `-`.
bool is_server_name(std::string_view name);

}  // namespace ordain::mcp
