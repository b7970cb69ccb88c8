"""What nobody knows: every number of the rules that no source settles, with its range. See ``parameters``.

An assumption set samples all of them. Grouped by the rule that reads them first.
"""

from typing import NamedTuple

from cspsim.model.parameters import uncertain

THESIS = "assumption: direction from Thwaites 2013 (abstract); size unknown"


class Uncertainties(NamedTuple):
    """One number each, the best guess as default; ``low`` and ``high`` bound what is plausible."""

    # 1 budgets
    grant_funded_post_share: float = uncertain(0.28, 0.1, 0.5, "share", "budgets", "share of the co-ordinator's team paid by grant", "seen: Devon County Council FOI, 2.1 of 7.6 posts grant-funded; range assumed")
    statutory_share: float = uncertain(0.35, 0.2, 0.5, "share", "budgets", "share of partnership staff hours tied up in statutory casework and new duties", "assumption: duty creep (Menichelli 2020; LGA 2016); size unknown")
    notice_months: float = uncertain(3, 1, 6, "months", "budgets", "notice before a post or project ends when money falls short")
    recruitment_months: float = uncertain(6, 3, 12, "months", "budgets", "months to fill all posts again", "assumption: NAO 2004 reports delays from recruiting; length assumed")
    chair_cost: float = uncertain(15_000, 5_000, 30_000, "£ a year", "budgets", "fee and support of an independent chair")
    engagement_cost: float = uncertain(60_000, 20_000, 120_000, "£ a year", "budgets", "cost of full community engagement in one borough")
    survey_cost: float = uncertain(40_000, 15_000, 80_000, "£ a year", "budgets", "cost of a local victim survey for a balanced scorecard")
    audit_cost: float = uncertain(20_000, 5_000, 50_000, "£ a year", "budgets", "cost of a full audit of crime recording in one borough")

    # 2 commissioning
    clawback_share: float = uncertain(0.3, 0.1, 0.6, "share", "commissioning", "share of an award lost if nothing is evaluated under a strict condition")
    bid_skill_value: float = uncertain(1.5, 0, 3, "log claim per unit of skill", "commissioning", "how strongly bid skill moves a competitive award", "assumption: bidding skill did not predict delivery (NCJRS 236310); Lambeth got 57 % of its bid")
    bid_noise: float = uncertain(0.25, 0, 0.5, "log claim", "commissioning", "spread of judges' errors")
    bid_overload_loss: float = uncertain(0.2, 0, 0.5, "skill per unit of overload", "commissioning", "what an overloaded co-ordinator cannot put into a bid")
    bid_hours: float = uncertain(250, 100, 600, "hours a year", "commissioning", "co-ordinator hours for a full round of bids")
    evidence_value: float = uncertain(2, 0.5, 4, "claim per unit of share", "commissioning", "how much strongly evaluated work raises a claim under an evidence-led rule")
    rest_evidence_share: float = uncertain(0.05, 0, 0.2, "share", "commissioning", "share of work strongly evaluated in the rest of the area")
    relationship_value: float = uncertain(1, 0, 3, "log claim per unit of trust", "commissioning", "how strongly a good relationship moves an award", "assumption: Thames Valley panel alleged political favouritism; size unknown")

    # 3 crime
    effect_scale: float = uncertain(1, 0.5, 1.5, "times", "crime", "all true effects together, relative to the catalogue", "assumption: published effects shrink when taken to scale (Safer Streets Fund evaluation)")
    reach_scale: float = uncertain(1, 0.5, 1.5, "times", "crime", "all reaches together, relative to the catalogue")
    diminishing: float = uncertain(0.6, 0.4, 0.9, "ratio", "crime", "reach of each further unit relative to the one before", "assumption: crime concentrates (half of calls in 3.5 % of places), so first units reach most")
    largest_fall: float = uncertain(0.9, 0.8, 0.95, "share", "crime", "largest fall one intervention can make in one crime type")
    elasticity_scale: float = uncertain(1, 0, 1.6, "times", "crime", "all police-strength elasticities together", "derived: Draca, Machin & Witt 2011 -.3 to -.4; HMIC 2011 review 0 to -.5")
    least_strength: float = uncertain(0.1, 0.05, 0.2, "times", "crime", "police strength below which the elasticity is not extrapolated further")
    shock_persistence: float = uncertain(0.95, 0.9, 0.98, "a month", "crime", "how much of a slow shock is left a month later")
    shock_scale: float = uncertain(0.6, 0.3, 1, "times", "crime", "slow shocks relative to the year-to-year changes of 32 London boroughs", "derived: annual log changes 2010-2020; below 1 because the dated paths already carry what is known to have happened")
    spill_shift: float = uncertain(0, -0.25, 0.25, "share of effect", "crime", "diffusion (+) or displacement (-) beyond the catalogue's", "seen: Bowers et al. 2011, Guerette & Bowers 2009: displacement 26 %, diffusion 27 % of observations")

    # 4 recording
    gaming: float = uncertain(0.08, 0, 0.2, "share", "recording", "fall of recording under full target pressure and no audit", "memory: HMIC 2014, 19 % of reported crime unrecorded; the part due to targets is assumed")
    audit_rise: float = uncertain(0.08, 0, 0.15, "share", "recording", "rise of recording under full audit", "memory: recorded share rose from 81 % to about 90 % after audits resumed")
    engagement_rise: float = uncertain(0.08, 0, 0.2, "share", "recording", "rise of reporting under full engagement")

    # 5 assessment
    target_pull: float = uncertain(0.6, 0.3, 0.9, "share", "assessment", "how far full target pressure replaces an authority's own view of need", "assumption: PASC 2014; Braganza 2018 on Campbell's law")
    survey_error: float = uncertain(0.1, 0.03, 0.2, "log error", "assessment", "sampling error of a local victim survey by crime type")

    # 6 agenda
    late_notice_delay: float = uncertain(4, 1, 8, "months", "agenda", "mean delay of starts when the settlement is late", "seen: NAO 2004, half of projects delayed up to a year by late notification and recruitment")
    recruitment_delay: float = uncertain(3, 1, 6, "months", "agenda", "mean further delay of a new project", "seen: NAO 2004; split between causes assumed")
    renewal_delay_share: float = uncertain(0.3, 0, 0.6, "share", "agenda", "share of the late-notice delay that also hits renewals")
    proposals_per_authority: float = uncertain(4, 2, 6, "proposals", "agenda", "new items one authority tables at one meeting")
    own_lead_preference: float = uncertain(1.3, 1, 2, "times", "agenda", "how much an authority prefers what it would lead itself")
    optimism: float = uncertain(0.3, 0.1, 0.6, "share", "agenda", "how far a sponsor's claim exceeds its belief", THESIS)

    # 7 challenge
    challenge_base: float = uncertain(-2.0, -3, -1, "log-odds", "challenge", "challenge by an average person without doubt at middling trust")
    challenge_assertiveness: float = uncertain(2, 0, 4, "log-odds per unit", "challenge", "effect of assertiveness", THESIS)
    challenge_doubt: float = uncertain(0.6, 0.2, 1.2, "log-odds per sd", "challenge", "effect of doubt in the claim")
    largest_doubt: float = uncertain(4, 3, 5, "standard deviations", "challenge", "doubt beyond which nobody doubts more")
    challenge_culture_value: float = uncertain(2, 0.5, 4, "log-odds", "challenge", "effect of an independent chair who invites challenge", "assumption: devil's advocacy helps (Akhmad et al. 2021, simulation)")
    harmony: float = uncertain(3, 0, 6, "log-odds per unit of trust", "challenge", "how much trust in the sponsor keeps a doubter silent", "assumption: direction from Thwaites 2013, one thesis, 18 interviews; size unknown")
    challenge_dependence: float = uncertain(1, 0, 2, "log-odds per unit", "challenge", "effect of depending on others' money")
    challenge_overload: float = uncertain(1, 0, 2, "log-odds per unit", "challenge", "effect of overload")
    challenge_hours: float = uncertain(4, 1, 10, "hours", "challenge", "hours one challenge costs each side")
    challenge_weight: float = uncertain(0.7, 0.4, 1, "share", "challenge", "how far one heard challenge stops others from deferring to the claim")
    chair_hearing: float = uncertain(0.3, 0, 0.5, "probability", "challenge", "what a chair adds to the chance that a challenge is heard")
    spill_into_conflict: float = uncertain(0.3, 0, 0.7, "probability", "challenge", "chance that a challenge is taken badly by a closed and distrustful sponsor", "assumption: task and relationship conflict correlate (De Dreu & Weingart 2003; de Wit et al. 2012), strength disputed")
    doubt_threshold: float = uncertain(1, 0.5, 2, "standard deviations", "challenge", "doubt that counts as suppressed if it is not spoken")
    doubt_memory: float = uncertain(0.8, 0.5, 0.95, "a month", "challenge", "how much of a suppressed doubt is left a month later")
    evidence_chance: float = uncertain(0.5, 0.2, 0.9, "probability", "challenge", "chance that a heard challenge brings the best graded published evidence to the table; weaker grades less often")
    evidence_error: float = uncertain(0.04, 0.02, 0.08, "effect per grade", "challenge", "error of published evidence, per step of its grade", "assumption: GMCA confidence grades; size assumed")

    # beliefs before the first month
    prior_effect: float = uncertain(0.12, 0.05, 0.2, "effect", "beliefs", "fall among the treated that people expect of any intervention")
    prior_error: float = uncertain(0.12, 0.08, 0.2, "effect", "beliefs", "spread of that expectation")
    signal_error: float = uncertain(0.15, 0.08, 0.3, "effect", "beliefs", "error of an authority's private impression of an intervention", "assumption: hidden profiles (Lu et al. 2012)")
    expert_error_share: float = uncertain(0.6, 0.3, 1, "share", "beliefs", "error of the lead authority relative to others")
    popularity_bias: float = uncertain(0.2, 0.05, 0.4, "effect per unit of popularity", "beliefs", "how much better what is popular looks to everybody than it is")

    # 8 decision
    deference: float = uncertain(0.8, 0.4, 1, "share", "decision", "how far full trust lets a member take over the sponsor's claim", THESIS)
    incumbency: float = uncertain(0.25, 0, 0.6, "share", "decision", "how much running projects are favoured")
    hosting_stretch: float = uncertain(0.9, 0.6, 1.3, "share", "decision", "hosting hours the table is ready to commit, relative to hours available")
    off_line_rate: float = uncertain(0.5, 0, 1, "probability", "decision", "chance that an item everybody silently doubts is settled off-line", "assumption: Pearson, Crawford & Jones (qualitative); rate unknown")

    # 9 workload
    coordinator_base_share: float = uncertain(0.35, 0.2, 0.6, "share", "workload", "least share of delivery the co-ordinator does", "assumption: no figure found; Thwaites 2013 says disproportionate")
    pledge_share: float = uncertain(0.35, 0.2, 0.5, "share", "workload", "share of its partnership hours an average member pledges to delivery")
    silent_withdrawal: float = uncertain(0.05, 0, 0.15, "per suppressed doubt", "workload", "how much less a member gives for each doubt it swallowed")
    follow_through: float = uncertain(0.4, 0.2, 0.7, "share", "workload", "share done of what is assigned beyond the own pledge", "assumption: ODPM 2003 on mainstreaming that failed; size unknown")
    meeting_hours: float = uncertain(190, 100, 300, "hours a year per member", "workload", "meetings of one member of the partnership", "derived: 1,150 person-hours a year for six members, an illustration")
    report_hours: float = uncertain(900, 400, 1600, "hours a year", "workload", "reports, plans and assessments by the co-ordinator")
    condition_hours: float = uncertain(200, 50, 400, "hours a year", "workload", "returns that a strict evaluation condition asks for")
    engagement_hours: float = uncertain(1_200, 500, 2_400, "hours a year", "workload", "co-ordinator hours of full community engagement")
    survey_hours: float = uncertain(300, 100, 600, "hours a year", "workload", "co-ordinator hours of a balanced scorecard")
    audit_hours: float = uncertain(400, 150, 800, "hours a year", "workload", "police hours of a full audit of recording")
    commitment_meetings: float = uncertain(0.3, 0.1, 0.6, "share of meeting hours", "workload", "extra meetings that build shared commitment")
    chair_meetings: float = uncertain(0.15, 0.05, 0.3, "share of meeting hours", "workload", "extra meeting time under a chair who invites challenge")

    # 10 delivery
    implementation_spread: float = uncertain(0.35, 0.1, 0.6, "share", "agenda", "spread of how well new projects are implemented", "assumption: RBI, 122 planned, 13 with enough dose to show; spread assumed")
    implementation_failure: float = uncertain(0.15, 0.05, 0.3, "probability", "agenda", "new projects that do not get off the ground in their first year", "seen: Reducing Burglary Initiative, 27 % not implemented at all; part of it is late starts here")
    base_fidelity: float = uncertain(0.7, 0.5, 0.9, "share", "delivery", "fidelity at middling trust without overload", "assumption: anchored on RBI, 73 % of interventions implemented to some degree")
    trust_delivery_gain: float = uncertain(0.5, 0.1, 0.8, "per unit of trust", "delivery", "how much trust raises fidelity", "seen: de Jong, Dirks & Gillespie 2016, rho = .30 over 112 team studies; translation assumed")
    overload_loss: float = uncertain(0.5, 0.2, 1, "per unit of overload", "delivery", "loss of fidelity from overload of those who do the work")
    coordinator_overload_loss: float = uncertain(0.4, 0.1, 0.8, "per unit of overload", "delivery", "loss of fidelity everywhere from overload of the co-ordinator", "assumption: administrative bottlenecks (Bitterman & Koliba 2020)")
    coordination_half: float = uncertain(0.15, 0.05, 0.4, "times today's governance", "delivery", "governance at which half of the gain from co-ordination is had")
    threshold_scale: float = uncertain(1, 0.5, 1.5, "times", "delivery", "all dose thresholds together", "assumption: RBI, only 11 % had enough dose to show")
    largest_load: float = uncertain(4, 3, 6, "times capacity", "delivery", "load beyond which more work is simply not there")

    # 11 evaluation
    evaluation_base: float = uncertain(0.12, 0.02, 0.25, "probability a year", "evaluation", "chance that a project is evaluated, without ethos or condition", "assumption: 5-25 % baseline; no national figure found")
    ethos_value: float = uncertain(0.7, 0.4, 0.9, "probability", "evaluation", "what a full evaluation ethos adds to that chance")
    mindedness_value: float = uncertain(0.2, 0, 0.4, "probability per unit", "evaluation", "what an evaluation-minded representative adds")
    condition_value: float = uncertain(0.4, 0.1, 0.7, "probability", "evaluation", "what a strict condition of the award adds")
    evaluation_overload: float = uncertain(0.3, 0.1, 0.6, "probability per unit of overload", "evaluation", "how fast evaluation is dropped under overload", THESIS)
    evaluation_after_months: float = uncertain(6, 3, 12, "months", "evaluation", "how long a project must have run to be evaluated")
    weak_evaluation_hours: float = uncertain(30, 10, 60, "hours", "evaluation", "a before-and-after comparison of recorded crime")
    strong_evaluation_hours: float = uncertain(120, 60, 250, "hours", "evaluation", "an evaluation with a comparison group (Maryland scale 3 and above)")
    weak_evaluation_cost: float = uncertain(1_000, 0, 3_000, "£", "evaluation", "bought-in cost of a weak evaluation")
    strong_evaluation_cost: float = uncertain(8_000, 3_000, 20_000, "£", "evaluation", "bought-in cost of a strong evaluation")
    weak_design_doubt: float = uncertain(0.2, 0, 0.5, "effect", "evaluation", "error that readers add to a before-and-after comparison because of its design", "assumption: weak designs favour treatment (Weisburd, Lum & Petrosino 2001); how far readers know is unknown")
    belief_ageing: float = uncertain(0.1, 0.02, 0.3, "share a year", "evaluation", "how fast certainty returns to what it was at first")
    credit_for_falls: float = uncertain(0.15, 0.05, 0.4, "effect per unit of fall", "evaluation", "how much of a fall of recorded crime is credited to what was not evaluated", THESIS)
    largest_credit: float = uncertain(0.2, 0.1, 0.4, "share", "evaluation", "largest fall that is credited")

    # 12 relationships
    initial_trust: float = uncertain(0.55, 0.3, 0.8, "share", "relationships", "mean trust when people meet")
    personality_spread: float = uncertain(0.18, 0.05, 0.3, "share", "relationships", "spread of personal traits and first impressions", THESIS)
    joint_work_gain: float = uncertain(0.015, 0.005, 0.03, "share a month", "relationships", "trust gained by working on delivery together", "seen: Lambright et al.; Dutch municipal model x 1.01-1.025 per contact (simulation)")
    meeting_gain: float = uncertain(0.06, 0.02, 0.12, "share a year", "relationships", "trust gained by meeting")
    slight_loss: float = uncertain(0.05, 0.02, 0.1, "share", "relationships", "trust lost by a challenge taken badly", "assumption: losses weigh about twice gains")
    absence_loss: float = uncertain(0.03, 0.01, 0.08, "share a month", "relationships", "trust lost by work assigned and not done")
    overload_trust_loss: float = uncertain(0.01, 0, 0.03, "share a month", "relationships", "trust lost in an overloaded partner")
    trust_fading: float = uncertain(0.008, 0.002, 0.02, "share a month", "relationships", "trust that fades by itself")
    advocate_strain: float = uncertain(0.005, 0, 0.02, "share a month", "relationships", "trust worn by a standing devil's advocate")
    turnover_hazard: float = uncertain(0.03, 0.015, 0.06, "a month", "relationships", "chance that a representative leaves", "memory: borough commanders 18-24 months; chief constables 3.8 years (seen)")
    turnover_in_cuts: float = uncertain(3, 0, 6, "per unit of cut", "relationships", "rise of that chance with the year's cut in the authority's hours", "assumption: ODPM 2003 on churn; size unknown")
    inherited_trust: float = uncertain(0.5, 0.2, 0.8, "share", "relationships", "share of a tie that a newcomer inherits")

    # 13 accounts: what is counted, and public confidence
    adequate_dose_share: float = uncertain(0.5, 0.3, 0.7, "share", "accounts", "delivered over planned dose that counts as adequate")
    worthwhile_effect: float = uncertain(0.05, 0.02, 0.1, "effect", "accounts", "effect among the treated that counts as truly effective")
    confidence_base: float = uncertain(0.5, 0.4, 0.6, "share", "accounts", "public confidence without engagement or visible work")
    confidence_engagement: float = uncertain(0.12, 0.02, 0.2, "share", "accounts", "what full engagement adds to confidence")
    confidence_visible: float = uncertain(0.1, 0, 0.2, "share", "accounts", "what visible work adds to confidence", "seen: Safer Streets Fund evaluation, trust rose without an effect on crime; size assumed")
    confidence_visible_half: float = uncertain(6, 3, 12, "units", "accounts", "visible units at which half of that is had")
    confidence_crime: float = uncertain(0.15, 0.05, 0.3, "share per log change", "accounts", "what a rise of crime takes from confidence")
    confidence_speed: float = uncertain(0.08, 0.03, 0.2, "a month", "accounts", "how fast confidence moves")
