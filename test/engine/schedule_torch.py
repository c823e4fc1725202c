"""Writes schedules.json: rates and momenta of torch.optim.lr_scheduler at the borders of what each schedule takes.

    python3 test/engine/schedule_torch.py > test/engine/schedules.json
"""

import json
import warnings

import torch
from torch.optim import lr_scheduler

warnings.filterwarnings("ignore")

SCHEDULES = {
    "polynomialLR": lambda o, a: lr_scheduler.PolynomialLR(o, total_iters=a["totalIters"], power=a.get("power", 1)),
    "stepLR": lambda o, a: lr_scheduler.StepLR(o, step_size=a["stepSize"], gamma=a.get("gamma", 0.1)),
    "multiStepLR": lambda o, a: lr_scheduler.MultiStepLR(o, milestones=a["milestones"], gamma=a.get("gamma", 0.1)),
    "cosineLR": lambda o, a: lr_scheduler.CosineAnnealingLR(o, T_max=a["tMax"], eta_min=a.get("etaMin", 0)),
    "exponentialLR": lambda o, a: lr_scheduler.ExponentialLR(o, gamma=a["gamma"]),
    "oneCycleLR": lambda o, a: lr_scheduler.OneCycleLR(
        o,
        max_lr=a["maxLr"],
        total_steps=a["totalSteps"],
        pct_start=float(a.get("pctStart", 0.3)),
        anneal_strategy=a.get("annealStrategy", "cos"),
        cycle_momentum=a.get("cycleMomentum", True),
        div_factor=a.get("divFactor", 25.0),
        final_div_factor=a.get("finalDivFactor", 1e4),
        three_phase=a.get("threePhase", False),
    ),
}

CASES = [
    ("polynomialLR", {"totalIters": 1}, 4),
    ("polynomialLR", {"totalIters": 5, "power": 0.9}, 8),
    ("polynomialLR", {"totalIters": 3, "power": 0}, 5),
    ("stepLR", {"stepSize": 1, "gamma": 0.5}, 5),
    ("stepLR", {"stepSize": 3, "gamma": 0}, 7),
    ("multiStepLR", {"milestones": []}, 3),
    ("multiStepLR", {"milestones": [0, 2]}, 4),
    ("multiStepLR", {"milestones": [4, 2, 2], "gamma": 0.5}, 6),
    ("cosineLR", {"tMax": 1}, 5),
    ("cosineLR", {"tMax": 4, "etaMin": 0.01}, 13),
    ("cosineLR", {"tMax": 3, "etaMin": 0.5}, 8),
    ("exponentialLR", {"gamma": 0}, 3),
    ("exponentialLR", {"gamma": 1.5}, 4),
] + [
    ("oneCycleLR", {"maxLr": 0.1, "totalSteps": total, **options}, total)
    for total in (1, 2, 3, 10)
    for options in (
        {},
        {"annealStrategy": "linear"},
        {"threePhase": True},
        {"pctStart": 0},
        {"pctStart": 1},
        {"pctStart": 0.05},
        {"pctStart": 0.5, "threePhase": True, "annealStrategy": "linear"},
        {"pctStart": 0.75, "threePhase": True},
        {"cycleMomentum": False, "divFactor": 2, "finalDivFactor": 10},
        {"pctStart": 0.1},
    )
]


def values(name, options, steps, algorithm):
    """[rate, momentum or beta1] in use at each step, or None where torch fails."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], 0.1, momentum=0.9) if algorithm == "SGD" else torch.optim.Adam([weight], 0.1)
    (group,) = optimizer.param_groups
    rows = []
    try:
        schedule = SCHEDULES[name](optimizer, options)
        for step in range(steps):
            rows.append([group["lr"], group["momentum"] if algorithm == "SGD" else group["betas"][0]])
            optimizer.step()
            if step + 1 < steps:
                schedule.step()
    except ZeroDivisionError:
        return None
    return rows


if __name__ == "__main__":
    rows = [
        {"name": name, "options": options, "algorithm": algorithm, "values": values(name, options, steps, algorithm)}
        for name, options, steps in CASES
        for algorithm in ("SGD", "Adam")
    ]
    print("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]")
