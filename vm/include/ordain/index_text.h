// The decision DAG of a Program, as text and as a graph, for people.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ordain/program.h"

namespace ordain {

/// One list of rules with what leads to them, in numbers.
struct IndexSummary {
  std::string capability;  ///< "(undeclared)" for those that the program does not declare
  Stage stage = Stage::before;
  std::string package;
  std::string kind;  ///< "deny", "require_approval", "allow", "answers" (first match), "obligations"
  size_t rules = 0;
  size_t nodes = 0;  ///< 0: the rules are tried one after another
  size_t edges = 0;
  size_t depth = 0;  ///< tests on the longest way to a rule
  struct Unindexed {
    RuleId rule = 0;
    std::string why;
  };
  std::vector<Unindexed> unindexed;  ///< rules that no test of the DAG leads to
};

/// Of every capability, stage and package that has rules, in the program's order. Lists that are the same are told
/// once.
std::vector<IndexSummary> summarise_index(const Program& program);

/// What a node of the DAG (an index into ProgramData::index_nodes) asks: "input.to", "has(input.note)", "input.n < 5".
std::string describe_test(const Program& program, uint32_t node);

/// The DAGs as indented text. @param most edges shown of a node, and rules of a leaf
std::string describe_index(const Program& program, size_t most);

/// The same as a graph in Graphviz's language.
std::string index_graph(const Program& program, size_t most);

}  // namespace ordain
