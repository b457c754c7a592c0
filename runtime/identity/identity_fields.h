// identity_fields lists, in one table, the five built-in records that make up the caller's
// identity.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "ordain/identity.h"

namespace ordain::detail {

struct IdentityField {
  std::string_view root;  ///< "agent"
  std::string Who::* id;
};
extern const std::array<IdentityField, 5> kIdentityFields;

/// @returns the attributes that `who` gives for a root record, or nullptr
const Value* attributes_of(const Who& who, std::string_view root);

/// @returns `who`, completed from `base`: an id that `who` does not give, and the attributes of a
/// record for which `who` gives neither an id nor attributes. So another agent never inherits the
/// roles of this one.
Who inherit(Who who, const Who& base);

}  // namespace ordain::detail
