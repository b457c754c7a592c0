// LetSharing decides which lets a program computes once in a decision, and numbers them.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/check/expression/typed.h"
#include "vm/program/program_data.h"

namespace ordain::emission {

/// A let is shared if the rules that decide some capability's calls would compute it more than once,
/// and if remembering it takes less time than computing it again. What a comprehension computes for
/// each element does not count.
class LetSharing {
 public:
  explicit LetSharing(const typed::PolicySet& set);

  /// Whether the node is the value of a shared let.
  bool is_shared(const typed::Node& node) const {
    return node.of_let < shared_.size() && shared_[node.of_let] && pays(node, set_.schema);
  }

  /// Returns the number of the let whose value the node is, in ProgramData::shared_lets. A let that
  /// means something else for another capability has another number there. kNone: there are too
  /// many.
  /// @param kind of the register that holds the value
  uint32_t number(ProgramData& data, const typed::Node& node, uint8_t kind);

  /// Whether computing the node takes longer than remembering its value: it loops, or it calls a
  /// function whose work depends on its arguments.
  static bool pays(const typed::Node& node, const Schema& schema);

 private:
  struct Numbered {
    uint32_t number;
    const typed::Node* node;
  };

  const typed::PolicySet& set_;
  std::vector<bool> shared_;                    ///< by let
  std::vector<std::vector<Numbered>> numbers_;  ///< by let
};

}  // namespace ordain::emission
