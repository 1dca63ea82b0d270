"""The generator G, the inquisitor I, and the sampler that brings them to Optuna.

=========  =============================  =========================================================
symbol     in the code                    what it is
=========  =============================  =========================================================
x          ``decisions``                  one network: a value for each decision that the space asks
φ          ``start``                      the prototype's decisions
s          ``seed``                       a seed: any whole number
θ          ``Generator.theta``            one categorical distribution over cells for each decision
G(s; θ)    ``Generator.sample``           the network of a seed: for each decision the quantile of
                                          its distribution at a uniform hash of seed and name
G₀         ``Learning.initial``           φ with noise, before anything is learned
U          ``Observation.utility``        performance, greater is better
1_r        ``Screen``, ``measured``       the bounds: static ones exact before training, the others
                                          modelled
I          ``Inquisitor``                 the inquisitor: Gaussian processes of U, of each objective
                                          and of each measured bound, given x and the costs of x
a(x)       ``Inquisitor.promise``         acquisition: logarithm of the probability of feasibility
                                          times the expected improvement, less that of the price
Δθ         ``update.step``                one bounded step of θ toward the ranked networks
=========  =============================  =========================================================

Who does what. The *inquisitor* chooses what is trained next: of candidates that G draws and of
variations of the best networks it takes the one of greatest a(x). *θ* is where half of those
candidates come from, and what a search leaves behind: a product of independent distributions that
holds in a few hundred numbers what the search has found, and from which new networks are drawn
without any training. Depending decisions are the space's affair, which asks in an order and names
what it asks by what was decided before; θ knows no other dependence.

On tables of trained networks the choice of the next network is the inquisitor's work: with θ frozen
a search is as good after 100 networks. θ by itself, with nothing ranked, is better than G₀ and not
as good as the whole (``Settings.ranked``; ``tests/generator/test_theta.py``).
"""

from gensynth.generator.assessment import HELD_OUT, Assessment, assess, assessed, best, pareto
from gensynth.generator.drafts import Unsatisfiable
from gensynth.generator.family import Member, budgets, family
from gensynth.generator.generator import Generator
from gensynth.generator.inquisitor import Inquisitor, Prediction
from gensynth.generator.sampler import GenerativeSynthesisSampler
from gensynth.generator.settings import Settings
from gensynth.generator.tracing import Trace, trace
from gensynth.generator.update import step

__all__ = [
    "HELD_OUT",
    "Assessment",
    "GenerativeSynthesisSampler",
    "Generator",
    "Inquisitor",
    "Member",
    "Prediction",
    "Settings",
    "Trace",
    "Unsatisfiable",
    "assess",
    "assessed",
    "best",
    "budgets",
    "family",
    "pareto",
    "step",
    "trace",
]
