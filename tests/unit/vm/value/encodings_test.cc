// Hexadecimal digits and base64, strict and lenient.
#include "vm/value/encodings.h"

#include <gtest/gtest.h>

#include <vector>

namespace ordain {
namespace {

TEST(Hex, IsLowerCaseBothWays) {
  EXPECT_EQ(hex_of(std::string("\x00\x7f\xff", 3)), "007fff");
  EXPECT_EQ(hex_of(""), "");
  uint8_t bytes[2] = {};
  EXPECT_TRUE(parse_hex("a0ff", bytes, 2));
  EXPECT_EQ(bytes[0], 0xA0);
  EXPECT_EQ(bytes[1], 0xFF);
  for (const char* text : {"A0ff", "a0f", "a0fff", "a0fg", ""}) EXPECT_FALSE(parse_hex(text, bytes, 2)) << text;
}

std::string lenient(std::string_view text) {
  std::vector<char> out(base64_room(text.size(), Base64::lenient));
  size_t size = 0;
  return read_base64(text, Base64::lenient, out.data(), &size) ? std::string(out.data(), size) : "refused";
}

TEST(Base64, OneTextForOneByteString) {
  for (size_t size = 0; size < 20; ++size) {
    std::string bytes(size, '\xFB'), back;
    ASSERT_TRUE(parse_base64(base64_of(bytes), &back));
    EXPECT_EQ(back, bytes);
    EXPECT_EQ(lenient(base64_of(bytes)), bytes);
  }
  std::string out;
  EXPECT_EQ(base64_of("fo"), "Zm8=");
  for (const char* text : {"Zm8", "Zm9=", "Zm8=\n", "Z===", "Zm8==", "Zm-=", "====", "Zm8=Zm8=", "Zg=="}) {
    EXPECT_EQ(parse_base64(text, &out), text == std::string("Zg==")) << text;
  }
}

TEST(Base64, LenientTakesWhatPeoplePaste) {
  EXPECT_EQ(lenient("Zm8"), "fo");
  EXPECT_EQ(lenient("Zm9="), "fo") << "bits that no byte needs";
  EXPECT_EQ(lenient("Z\r\nm8=\n"), "fo");
  EXPECT_EQ(lenient("Zm9v"), "foo");
  for (const char* text : {"Z", "Z===", "Zm8==", "Zm-=", "Zm8=Zm8=", "===="})
    EXPECT_EQ(lenient(text), "refused") << text;
}

}  // namespace
}  // namespace ordain
