-- here: one row per account of the purses looked at together
from touched
where purse between $first and $last
