from search_engine.config.language import LanguageRecipeConfig, RecurrentLayoutConfig
from search_engine.config.layout import LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.reproducibility import ReproducibilityConfig
from search_engine.export.settings_in_force import _OFF, settings_in_force

PARTS = (
    RecipeConfig, LanguageRecipeConfig, LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig,
    RecurrentLayoutConfig, ReproducibilityConfig,
)  # fmt: skip


def test_what_belongs_to_a_choice_that_was_not_made_is_left_out():
    plain = settings_in_force(RecipeConfig())
    assert plain["Optimizer"] == "sgd" and plain["Momentum"] == "0.9" and plain["Augmentation"] == "yes"
    absent = ("RMSProp decay", "RMSProp epsilon", "Decay factor", "Nesterov momentum", "Drop path, kept at the end")
    assert not set(absent) & set(plain)
    other = settings_in_force(RecipeConfig(optimizer="rmsprop", schedule="exponential", drop_path="time"))
    assert other["RMSProp decay"] == "0.9" and other["Decay factor"] == "0.97"
    assert other["Drop path, kept at the end"] == "0.6"


def test_what_was_off_is_left_out_and_listed_once_it_is_on():
    absent = {"Cutout", "Label smoothing", "Scheduled drop path", "Weight averaging", "Dropout, kept", "Warm-up"}
    assert not absent & set(settings_in_force(RecipeConfig()))
    on = RecipeConfig(
        cutout=16, label_smoothing=0.1, drop_path="time", weight_average=0.9, dropout_keep=0.5, warm_up=0.1
    )
    assert absent <= set(settings_in_force(on))
    assert "Augmentation" not in settings_in_force(RecipeConfig(augment=False))


def test_a_network_tells_of_its_own_skeleton_only():
    assert "Stem filters" not in settings_in_force(LayoutConfig())
    assert settings_in_force(LayoutConfig(skeleton="imagenet"))["Stem filters"] == "32"
    assert "kind" not in str(settings_in_force(LayoutConfig())).lower()


def test_a_recipe_for_text_tells_what_it_averages_by():
    stalled = settings_in_force(LanguageRecipeConfig())
    assert "Patience" in stalled and "Averaging from epoch" not in stalled and "Drop words" not in stalled
    assert not {"Decay", "Decay from epoch"} & set(stalled)
    assert {"Decay", "Decay from epoch"} <= set(settings_in_force(LanguageRecipeConfig(epochs=15)))
    assert not {"Averaging", "Patience"} & set(settings_in_force(LanguageRecipeConfig(averaging="never")))


def test_every_value_that_is_off_is_that_of_a_setting():
    assert set(_OFF) <= {name for part in PARTS for name in part.model_fields}
