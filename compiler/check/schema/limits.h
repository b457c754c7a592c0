// limits.h declares how what a type demands besides its kind is read: bounds, enumerations and unions.
#pragma once

#include <span>
#include <string>

#include "compiler/check/schema/state.h"

namespace ordain::policy {

/// `base` with the bounds that stand in the brackets of `syntax`: `int(1, 100)`, `string(max 64)`. `base` is a type
/// that can have bounds. @returns kError after reporting what is wrong
const Type* bounded_type(SchemaState& state, const syntax::TypeSyntax& syntax, const Type* base);
/// Whether values of the type have an order or a size that can be bounded.
bool can_be_bounded(const Type& type);

/// The union of several types, or the enumeration of several values. @returns kError after reporting
const Type* type_of_options(SchemaState& state, std::span<const syntax::TypeSyntax* const> options,
                            const std::string& name);

// --- types.cc
const Type* type_of_syntax(SchemaState& state, const syntax::TypeSyntax& syntax, const std::string& name);

}  // namespace ordain::policy
