// tree.h walks ANTLR's tree by the positions of children. The grammar determines which rule is at
// which position; casts are not checked.
#pragma once

#include <cstddef>
#include <typeinfo>

#include "OrdainParser.h"
#include "compiler/parse/tokens.h"

namespace ordain::parsing {

template <typename T>
T* child(const antlr4::ParserRuleContext* tree, size_t i) {
  return static_cast<T*>(tree->children[i]);
}

/// @returns whether `node` is exactly a T. Much cheaper than dynamic_cast, and sufficient, because
/// the tree has no subclasses of subclasses.
template <typename T>
bool is(const antlr4::tree::ParseTree* node) {
  return typeid(*node) == typeid(T);
}

inline bool is_token(const antlr4::tree::ParseTree* node) { return is<antlr4::tree::TerminalNodeImpl>(node); }

inline const Token& token_at(const antlr4::ParserRuleContext* tree, size_t i) {
  return as_token(child<antlr4::tree::TerminalNode>(tree, i)->getSymbol());
}

inline const Token& first_token(const antlr4::ParserRuleContext* tree) { return as_token(tree->start); }
inline const Token& last_token(const antlr4::ParserRuleContext* tree) { return as_token(tree->stop); }

}  // namespace ordain::parsing
