#include "heed/cli/options/field_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/cli/options/help.h"

namespace heed::cli {
namespace {

using testing::HasSubstr;

std::vector<std::string> colours() { return {"red", "blue"}; }

void check_even(const std::string& text) {
  check_usage(text.size() % 2 == 0, "expected an even text");
}

struct FieldSample {
  int64_t num_heads = 4;
  int64_t d_ff = 0;
  int64_t tokens = 7;
  double rate = 0.5;
  bool deep = true;
  uint64_t seed = 1;
  std::string colour = "red";
  std::string text = "ab";
  std::optional<double> limit = {};
  std::string ink = "auto";
  bool loud = false;
};

template <typename Visit>
void visit_fields(FieldSample& o, const Visit& visit) {
  using nn::Field;
  visit(nn::size_field("num_heads", "Heads"), o.num_heads);
  visit(Field{.name = "d_ff", .help = "Size", .least = 1, .most = 100, .zero = "4 times"}, o.d_ff);
  visit(nn::size_field("tokens"), o.tokens);
  visit(Field{.name = "rate", .help = "Rate", .most = 1, .below = true}, o.rate);
  visit(Field{.name = "deep", .help = "Deep"}, o.deep);
  visit(Field{.name = "seed", .help = "Seed"}, o.seed);
  visit(Field{.name = "colour", .help = "Colour", .choices = colours, .group = "Looks"}, o.colour);
  visit(Field{.name = "text", .help = "Text", .check = check_even}, o.text);
  visit(Field{.name = "limit", .help = "Limit", .most = 1, .above = true, .below = true}, o.limit);
  visit(Field{.name = "ink", .help = "Ink", .choices = colours, .automatic = "what is left"},
        o.ink);
  visit(Field{.name = "loud", .help = "Loud", .flag = true}, o.loud);
}

struct Command {
  FieldSample sample;
  Options options{"heed s", "A command"};

  explicit Command(const FieldTexts& texts = {}) {
    visit_fields(sample, FieldOptions(options, texts));
    options.finish();
  }
  std::string refusal(std::vector<std::string> words) {
    try {
      options.parse(std::move(words));
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  }
};

TEST(FieldOptions, HaveTheNamesOfTheFields) {
  Command command;
  EXPECT_EQ(command.refusal({"--num-heads", "8", "--d-ff", "0", "--rate", "0", "--deep", "false",
                             "--seed", "18446744073709551615", "--colour", "blue", "--text", "",
                             "--limit", "0.5", "--loud"}),
            "");
  EXPECT_EQ(command.sample.num_heads, 8);
  EXPECT_EQ(command.sample.d_ff, 0);
  EXPECT_EQ(command.sample.rate, 0);
  EXPECT_FALSE(command.sample.deep);
  EXPECT_EQ(command.sample.seed, UINT64_MAX);
  EXPECT_EQ(command.sample.colour, "blue");
  EXPECT_EQ(command.sample.limit, 0.5);
  EXPECT_TRUE(command.sample.loud);
  EXPECT_FALSE(command.options.has("tokens"));  // the data decide
}

TEST(FieldOptions, HaveTheValuesOfTheFields) {
  EXPECT_THAT(Command().refusal({"--num-heads", "0"}),
              HasSubstr("a number of at least 1, got '0'"));
  EXPECT_THAT(Command().refusal({"--num-heads", "16777217"}), HasSubstr("from 1 to 16777216"));
  EXPECT_THAT(Command().refusal({"--num-heads", "many"}), HasSubstr("--num-heads"));
  EXPECT_THAT(Command().refusal({"--d-ff", "101"}), HasSubstr("from 0 to 100"));
  EXPECT_THAT(Command().refusal({"--rate", "1"}), HasSubstr("from 0 to below 1"));
  EXPECT_THAT(Command().refusal({"--colour", "green"}), HasSubstr("red"));
  EXPECT_THAT(Command().refusal({"--text", "abc"}), HasSubstr("expected an even text"));
  EXPECT_THAT(Command().refusal({"--limit", "0"}), HasSubstr("above 0, below 1, got '0'"));
  EXPECT_THAT(Command().refusal({"--ink", "green"}), HasSubstr("red"));
  EXPECT_EQ(Command().refusal({"--ink", "auto"}), "");
}

TEST(FieldOptions, AreDescribedAsTheFieldsAre) {
  const std::string help = help_text(Command().options, 200);
  EXPECT_THAT(help, HasSubstr("Heads. At least 1. Default: 4."));
  EXPECT_THAT(help, HasSubstr("Size; 0: 4 times. From 0 to 100. Default: 0."));
  EXPECT_THAT(help, HasSubstr("Rate. From 0 to below 1. Default: 0.5."));
  EXPECT_THAT(help, HasSubstr("Deep. One of true, false. Default: true."));
  EXPECT_THAT(help, HasSubstr("\nLooks:\n"));
  EXPECT_THAT(help, HasSubstr("Colour. One of red, blue. Default: red."));
  EXPECT_THAT(help, HasSubstr("Ink; auto: what is left. One of auto, red, blue. Default: auto."));
}

TEST(FieldOptions, AreKnownToBeGiven) {
  Command command;
  EXPECT_EQ(command.refusal({"--num-heads", "4", "--rate", "0.1"}), "");
  std::string given;
  visit_fields(command.sample, [&](const nn::Field& field, const auto& /*value*/) {
    if (std::string(field.name) == "tokens") return;  // no option
    if (is_given(command.options, field)) given += std::string(field.name) + " ";
  });
  EXPECT_EQ(given, "num_heads rate ");
}

TEST(FieldOptions, AreToldFromOthers) {
  Command command;
  std::string out;
  command.options.add("--out", out, "Where");
  for (const OptionInfo& option : command.options.all()) {
    const std::string name = option.setting_name();
    EXPECT_EQ(option.field, command.options.has(name) && option.setting && name != "out") << name;
  }
}

TEST(FieldOptions, ACommandMaySayOtherwise) {
  const Command command({.help = {{"num_heads", "Other heads"}, {"tokens", "Tokens"}},
                         .zero = {{"tokens", "as many as fit"}},
                         .choices = {{"text", {"ab", "abcd"}}, {"ink", {"blue"}}}});
  const std::string help = help_text(command.options, 200);
  EXPECT_THAT(help, HasSubstr("Other heads. At least 1."));
  EXPECT_THAT(help, HasSubstr("Tokens; 0: as many as fit. At least 0. Default: 7."));
  EXPECT_THAT(help, HasSubstr("Text. One of ab, abcd. Default: ab."));
  EXPECT_THAT(help, HasSubstr("Ink; auto: what is left. One of auto, blue. Default: auto."));
  EXPECT_THAT(help, HasSubstr("\nLooks:\n"));
  const std::string together = help_text(Command({.group = "All"}).options, 200);
  EXPECT_THAT(together, HasSubstr("\nAll:\n"));
  EXPECT_THAT(together, testing::Not(HasSubstr("\nLooks:\n")));
}

}  // namespace
}  // namespace heed::cli
