// keys names the values that expressions compute, so that equal conditions are found without comparing
// each with each.
#pragma once

#include <string>

#include "compiler/check/expression/typed.h"

namespace ordain::lint {

/// Names the value of a node: within one decision, nodes of the same set with the same key have the same
/// value or both fault. Variables are named by their numbers, so keys of nodes with variables that are
/// bound outside of them may only be compared within one expression.
/// @returns "" for expressions of more than `most_nodes` nodes, and for the few that are not worth a name
std::string key_of(const typed::Node& node, size_t most_nodes = 64);

}  // namespace ordain::lint
