-- What a span says of an attribute, or else its resource, which is stored with a run's own span.
(attributes) -> if(
    attributes[{attribute:String}] != '', attributes[{attribute:String}], attributes[concat('resource.', {attribute:String})]
)
