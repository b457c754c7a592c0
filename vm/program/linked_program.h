// LinkedProgram: what stands behind every Program, and the way in for engines: its tables, its code, and what linking
// adds to them. Not installed: a host has no way to publish machine code.
#pragma once

#include <memory>

#include "ordain/program.h"
#include "vm/program/link_tables.h"
#include "vm/program/native_code.h"
#include "vm/program/program_data.h"
#include "vm/value/text_index.h"

namespace ordain::vm {

/// Every Program is one of these. Immutable but for its native code.
struct LinkedProgram final : Program {
  LinkedProgram() = default;
  ~LinkedProgram();

  ProgramData data;
  LinkTables tables;
  TextIndex symbols;
  TextIndex capabilities;
  KeyIndex member_bits;  ///< by slot << 32 | symbol
  Digest digest{};
  const uint64_t serial = next_serial();  ///< tells the refs of this program from those of all others
  mutable NativeCode native;

 private:
  static uint64_t next_serial();
};

inline const LinkedProgram& linked(const Program& program) { return static_cast<const LinkedProgram&>(program); }
inline const ProgramData& data_of(const Program& program) { return linked(program).data; }
inline const LinkTables& link_tables(const Program& program) { return linked(program).tables; }
inline NativeCode& native_code_of(const Program& program) { return linked(program).native; }

/// Verifies `data` and resolves its functions in `functions`, which must outlive the Program.
/// @returns error code "bad_program" naming what is wrong, or "unknown_function".
Result<std::shared_ptr<const Program>> link_program(ProgramData data, const FunctionTable& functions);

/// The same, but leaves the digest to the caller, who may know the serialised bytes already.
Result<std::shared_ptr<LinkedProgram>> link_undigested(ProgramData data, const FunctionTable& functions);

}  // namespace ordain::vm
