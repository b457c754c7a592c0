// identity_fields: the five built-in records that say who acts, in one table.
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

/// The attributes that `who` gives for a root record, or nullptr.
const Value* attributes_of(const Who& who, std::string_view root);

/// `who`, with what it leaves out taken from `base`: an id that is not given; the attributes of a record that it
/// neither names nor gives attributes for. Another agent never inherits this one's roles.
Who inherit(Who who, const Who& base);

}  // namespace ordain::detail
