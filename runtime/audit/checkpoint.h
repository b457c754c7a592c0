// A checkpoint is the tree's size and root as a signed text (C2SP tlog-checkpoint). This header
// reads and writes checkpoints, and appends them to the external file that keeps copies of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ordain/keys.h"
#include "ordain/result.h"
#include "runtime/audit/merkle.h"

namespace ordain::detail {

struct Checkpoint {
  std::string origin;  ///< key name, '/', the log's id in hex
  uint64_t size = 0;
  Sha256::Hash root{};

  std::string text() const;  ///< the text that is signed
};

/// Parses the text of a note, ignoring its signatures. @returns error "bad_note".
Result<Checkpoint> parse_checkpoint(std::string_view note);

/// Like parse_checkpoint, and checks that one of `keys` signed the note and that its name begins
/// the origin. With no keys, signatures are not checked.
/// @returns error "bad_note", "not_signed" or "bad_signature".
Result<Checkpoint> open_checkpoint(std::string_view note, const std::vector<PublicKey>& keys);

/// Splits a text of notes, one after another with empty lines between. @returns error "bad_note" with the line.
Result<std::vector<std::string>> split_notes(std::string_view text);

/// Appends one note to a file, durably, and either whole or not at all. Creates the file with mode
/// 0644 if it is missing. @returns error "checkpoint_unwritable".
Result<void> append_note(const std::string& path, std::string_view note);

}  // namespace ordain::detail
