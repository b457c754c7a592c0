// This test compiles <ordain/c.h> in C++ beside <ordain/ordain.h>, and checks that it never throws.
#include <ordain/c.h>
#include <ordain/ordain.h>

static_assert(noexcept(ordain_open(nullptr, 0, nullptr, nullptr, nullptr)));
static_assert(noexcept(ordain_decide(nullptr, nullptr, 0, nullptr, nullptr)));
static_assert(noexcept(ordain_close(nullptr)));
static_assert(ORDAIN_ALLOW == static_cast<int>(ordain::Effect::allow));
static_assert(ORDAIN_REQUIRE_APPROVAL == static_cast<int>(ordain::Effect::require_approval));
static_assert(ORDAIN_DENY == static_cast<int>(ordain::Effect::deny));
