// Linked holds what linking adds to ProgramData: look-up tables, resolved functions, the digest,
// and the state of native code.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "ordain/program.h"
#include "vm/program/link_tables.h"
#include "vm/value/text_index.h"

namespace ordain {

struct Program::Linked {
  LinkTables tables;
  TextIndex symbols;
  TextIndex capabilities;
  KeyIndex member_bits;  ///< by slot << 32 | symbol
  Digest digest{};

  std::mutex native_mutex;
  std::vector<std::shared_ptr<void>> native_owners;
  std::atomic<size_t> native_count = 0;
};

}  // namespace ordain
