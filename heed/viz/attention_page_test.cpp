#include "heed/viz/attention_page.h"

#include <glib.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/io/testing/test_files.h"

namespace heed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Two tokens, one layer, one head, both weights of each.
AttentionPage small_page() {
  return {.title = "good (99 %)",
          .queries = {"a", "film"},
          .keys = {"a", "film"},
          .heads = {1},
          .kept = 2,
          .block_rows = 2,
          .block_columns = 2,
          .layers = {{.heads = {.values = {0.75F, 0.25F, 1, 0}, .keys = {1, 0, 1, -1}},
                      .entropies = {0.5F, 0},
                      .blocks = {0.25F, 0.75F, 0, 1}}}};
}

std::string written(const AttentionPage& page) {
  const test::Folder folder;
  write_attention_page(page, folder / "page.html");
  return test::slurp(folder / "page.html");
}

// The 16-bit words that stand in the element with this id.
std::vector<int> words_of(const std::string& page, const std::string& id) {
  const std::string mark = "id=\"" + id + "\">";
  const size_t begin = page.find(mark) + mark.size();
  const std::string coded = page.substr(begin, page.find("</script>", begin) - begin);
  gsize size = 0;
  guchar* bytes = g_base64_decode(coded.c_str(), &size);
  std::vector<int> words;
  for (gsize i = 0; i + 1 < size; i += 2) words.push_back(bytes[i] + 256 * bytes[i + 1]);
  g_free(bytes);
  return words;
}

TEST(AttentionPage, HoldsKeysWeightsAndEntropies) {
  const std::string page = written(small_page());
  EXPECT_THAT(words_of(page, "layer-0"),
              ElementsAre(1, 0, 1, 65535, 49151, 16384, 65535, 0, 2500, 0));
  EXPECT_THAT(page, HasSubstr("\"spreads\":[1.32"));
  EXPECT_THAT(page, Not(HasSubstr("{{")));
}

TEST(AttentionPage, WhatTokensSpellStaysText) {
  AttentionPage page = small_page();
  page.queries[0] = page.keys[0] = "<script>alert(1)</script>";
  page.title = "<b>\xff";
  const std::string text = written(page);
  EXPECT_THAT(text, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(text, HasSubstr("\\u003cscript>alert"));
  EXPECT_THAT(text, HasSubstr("&lt;b&gt;\xef\xbf\xbd"));
}

TEST(AttentionPage, TokensMayBeAnyBytes) {
  AttentionPage page = small_page();
  page.queries[0] = "\xe4\xb8";
  EXPECT_THAT(written(page), HasSubstr("\\ufffd"));
}

TEST(AttentionPage, RefusesCountsThatDoNotMatch) {
  const test::Folder folder;
  const auto refuses = [&](const AttentionPage& page) {
    EXPECT_THROW(write_attention_page(page, folder / "page.html"), UsageError);
  };
  AttentionPage page = small_page();
  page.layers[0].heads.keys[0] = 2;
  refuses(page);
  page = small_page();
  page.layers[0].entropies.pop_back();
  refuses(page);
  page = small_page();
  page.layers.push_back(page.layers[0]);
  page.layers[1].gradients = {1, 0, 0, 0};
  refuses(page);
  page = small_page();
  page.layers.clear();
  refuses(page);
  EXPECT_FALSE(std::filesystem::exists(folder / "page.html"));
}

// A class token and two patches side by side, the second half outside the picture.
AttentionPage picture_page() {
  AttentionPage page = small_page();
  page.queries = page.keys = {"[CLS]", "1,1", "1,2"};
  page.kept = 1;
  page.layers = {{.heads = {.values = {1, 1, 1}, .keys = {1, 2, 0}},
                  .entropies = {0, 0, 0},
                  .blocks = {0, 1, 1, 0}}};
  page.picture = AttentionPagePicture{.height = 2,
                                      .width = 3,
                                      .pixels = std::vector<Color>(6, Color{1, 0, 0}),
                                      .first = 1,
                                      .rows = 1,
                                      .columns = 2,
                                      .covered_height = 2,
                                      .covered_width = 4.5,
                                      .about = "Two <patches>."};
  return page;
}

TEST(AttentionPage, HoldsThePictureThatItLaysTheWeightsOver) {
  const std::string page = written(picture_page());
  EXPECT_THAT(page, HasSubstr("\"size\":[2,3],\"first\":1,\"rows\":1,\"columns\":2"));
  EXPECT_THAT(page, HasSubstr("\"covered\":[1.0,1.5]"));
  EXPECT_THAT(page, HasSubstr("Two \\u003cpatches>."));
  EXPECT_THAT(page, HasSubstr("\"source\":\"data:image/png;base64,iVBORw0KGgo"));
  EXPECT_THAT(written(small_page()), Not(HasSubstr("data:image/png")));
}

TEST(AttentionPage, RefusesAPictureWhosePartsAreNotTheTokens) {
  const auto refuses = [](const auto& change) {
    AttentionPage page = picture_page();
    change(page);
    EXPECT_THROW(attention_page_html(page), UsageError);
  };
  refuses([](AttentionPage& page) { page.picture->pixels.pop_back(); });
  refuses([](AttentionPage& page) { page.picture->columns = 3; });
  refuses([](AttentionPage& page) { page.picture->covered_width = 0; });
  refuses([](AttentionPage& page) { page.queries[0] = "another"; });
}

TEST(AttentionPage, KeepsSoManyWeightsThatItStaysSmall) {
  EXPECT_EQ(weights_that_fit(12 * 12 * 128, 2 * 12 * 128, 128), 128);
  EXPECT_EQ(weights_that_fit(12 * 12 * 2000, 2 * 12 * 2000, 2000), 8);
  EXPECT_EQ(weights_that_fit(48 * 48 * 4000, 0, 4000), 4);
  EXPECT_EQ(weights_that_fit(2 * 2 * 7, 0, 7), 7);
  EXPECT_EQ(weights_that_fit(0, 0, 7), 7);
}

TEST(AttentionPage, StaysUnderTwentyMegabytesForTwoThousandTokens) {
  constexpr int64_t kTokens = 2000, kHeads = 12, kLayers = 12;
  const int64_t kept = weights_that_fit(kTokens * kHeads * kLayers, 2 * kTokens * kLayers, kTokens);
  const auto weights = [&](int64_t rows) {
    const auto count = static_cast<size_t>(rows * kept);
    return LargestWeights{std::vector<float>(count, 0.1F), std::vector<int64_t>(count, 77)};
  };
  AttentionPage page{.title = "",
                     .queries = std::vector<std::string>(kTokens, "token"),
                     .keys = std::vector<std::string>(kTokens, "token"),
                     .heads = std::vector<int64_t>(kHeads, 1),
                     .kept = kept,
                     .block_rows = 24,
                     .block_columns = 24};
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    page.layers.push_back({.heads = weights(kHeads * kTokens),
                           .gradients = weights(kHeads * kTokens).values,
                           .mean = weights(kTokens),
                           .rollout = weights(kTokens),
                           .entropies = std::vector<float>(kHeads * kTokens, 1),
                           .blocks = std::vector<float>(kHeads * 24 * 24, 0.01F)});
  }
  EXPECT_LT(written(page).size(), 20'000'000U);
}

}  // namespace
}  // namespace heed
