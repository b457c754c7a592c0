// Describes the instructions: the rows of opcodes.def as data.
#include "vm/program/program_data.h"

namespace ordain::vm {
namespace {

constexpr OpInfo kInfos[] = {
#define X(name, operands, flags, doc) {#name, operands, flags, doc},
#include "vm/program/opcodes.def"
#undef X
};

}  // namespace

const OpInfo& op_info(Op op) { return kInfos[static_cast<uint16_t>(op)]; }

}  // namespace ordain::vm
